import SQLiteStore
import Store
import Testing

/// Random operations against a simple model; a failure names its seed.
@Suite struct StoreModelTests {
    /// Every state the store ever had.
    private struct Model {
        var states: [Revision: [String: StoredEntry]] = [.initial: [:]]
        var revision = Revision.initial
        var compacted = Revision.zero
        var events: [StoreEvent] = []

        var current: [String: StoredEntry] { states[revision] ?? [:] }

        mutating func record(_ event: StoreEvent) {
            var next = current
            next[event.key] = event.current
            revision = event.revision
            states[revision] = next
            events.append(event)
        }
    }

    @Test(arguments: Engine.allCases, [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `random operations agree with the model`(_ engine: Engine, _ seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let directory = ScratchDirectory()
        let limits = StoreLimits(recentEvents: Int.random(in: 1...40, using: &random))
        var store = try await makeStore(engine, directory.path, limits)
        var model = Model()
        for step in 0..<400 {
            let context: Comment = "seed \(seed) step \(step)"
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<55: try await put(store, &model, &random, context)
            case 55..<75: try await delete(store, &model, &random, context)
            case 75..<85: try await list(store, model, &random, context)
            case 85..<92: try await watch(store, model, &random, context)
            case 92..<95:
                let target = Revision(UInt64.random(in: model.compacted.rawValue...model.revision.rawValue, using: &random))
                try await store.compact(to: target)
                model.compacted = max(model.compacted, target)
            default:
                guard engine == .sqlite else { continue }
                await store.close()
                store = try await makeStore(engine, directory.path, limits)
                #expect(try await store.currentRevision() == model.revision, context)
            }
        }
        let final = try await store.list(prefix: "", at: nil, after: nil, limit: 0)
        #expect(Dictionary(uniqueKeysWithValues: final.entries.map { ($0.key, $0) }) == model.current)
        await store.close()
    }

    private func key(_ random: inout SplitMix) -> String {
        "/\(["p", "q", "pq"].randomElement(using: &random) ?? "p")/\(Int.random(in: 0..<12, using: &random))"
    }

    private func precondition(_ current: StoredEntry?, _ random: inout SplitMix) -> Precondition {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .absent
        case 1: .revision(current?.revision ?? Revision(3))
        case 2: .revision(Revision(UInt64.random(in: 1...400, using: &random)))
        default: .none
        }
    }

    private func holds(_ precondition: Precondition, _ current: StoredEntry?) -> Bool {
        switch precondition {
        case .none: true
        case .absent: current == nil
        case .revision(let revision): current?.revision == revision
        }
    }

    private func put(_ store: any Store, _ model: inout Model, _ random: inout SplitMix, _ context: Comment) async throws {
        let key = key(&random)
        let current = model.current[key]
        let condition = precondition(current, &random)
        let value = (0..<Int.random(in: 0..<64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        do throws(StoreError) {
            let revision = try await store.put(key, value, if: condition)
            #expect(holds(condition, current), context)
            #expect(revision == model.revision.next, context)
            let created = current?.createRevision ?? revision
            let entry = StoredEntry(key: key, value: value, revision: revision, createRevision: created)
            model.record(.put(entry, previous: current))
        } catch {
            #expect(!holds(condition, current), context)
            #expect(error.code == .conflict(current: current), context)
        }
    }

    private func delete(_ store: any Store, _ model: inout Model, _ random: inout SplitMix, _ context: Comment) async throws {
        let key = key(&random)
        let current = model.current[key]
        let condition = precondition(current, &random)
        do throws(StoreError) {
            let (previous, revision) = try await store.delete(key, if: condition)
            #expect(holds(condition, current), context)
            #expect(previous == current, context)
            if let current { model.record(.deleted(key: key, previous: current, at: revision)) }
            #expect(revision == model.revision, context)
        } catch {
            #expect(!holds(condition, current), context)
            #expect(error.code == .conflict(current: current), context)
        }
    }

    private func list(_ store: any Store, _ model: Model, _ random: inout SplitMix, _ context: Comment) async throws {
        let prefix = ["", "/p", "/p/", "/q/", "/x"].randomElement(using: &random) ?? ""
        let revision = Revision(UInt64.random(in: 0...model.revision.rawValue + 1, using: &random))
        let after = Bool.random(using: &random) ? key(&random) : nil
        let limit = Int.random(in: 0..<6, using: &random)
        do throws(StoreError) {
            let page = try await store.list(prefix: prefix, at: revision, after: after, limit: limit)
            let state = model.states[revision] ?? [:]
            let all = state.values.filter { $0.key.hasPrefix(prefix) && $0.key > after ?? "" }.sorted { $0.key < $1.key }
            let expected = limit > 0 ? Array(all.prefix(limit)) : all
            #expect(page.entries == expected, context)
            #expect(page.more == (expected.count < all.count), context)
        } catch {
            let isGone = revision < model.compacted || revision == .zero
            #expect(isGone || revision > model.revision, "\(context) \(error)")
        }
    }

    private func watch(_ store: any Store, _ model: Model, _ random: inout SplitMix, _ context: Comment) async throws {
        let prefix = ["", "/p", "/p/", "/q/"].randomElement(using: &random) ?? ""
        let start = Revision(UInt64.random(in: model.compacted.rawValue...model.revision.rawValue, using: &random))
        let expected = model.events.filter { $0.revision > start && $0.key.hasPrefix(prefix) }
        let watch = try await store.watch(prefix: prefix, from: start)
        #expect(try await watch.take(expected.count) == expected, context)
    }
}
