/// A set of code points: ranges, and a map of the first 128 for speed.
struct RegexSet: Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []
    /// General categories and their opposites, by what Unicode says of a code point.
    private(set) var categories: [(names: Set<String>, isNegated: Bool)] = []
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    var isNegated = false
    var foldsCase = false

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    mutating func insert(_ other: [ClosedRange<UInt32>]) { ranges += other }

    mutating func insert(categories names: Set<String>, isNegated: Bool) { categories.append((names, isNegated)) }

    /// Computes the map of the first 128; call it when all is inserted.
    mutating func seal() {
        for code in UInt32(0)..<128 where computed(code) {
            if code < 64 { low |= 1 << UInt64(code) } else { high |= 1 << UInt64(code - 64) }
        }
    }

    func contains(_ code: UInt32) -> Bool {
        if code < 64 { return low >> UInt64(code) & 1 == 1 }
        if code < 128 { return high >> UInt64(code - 64) & 1 == 1 }
        return computed(code)
    }

    private func computed(_ code: UInt32) -> Bool {
        if holds(code) { return !isNegated }
        guard foldsCase, let scalar = Unicode.Scalar(code) else { return isNegated }
        for variant in Self.variants(scalar) where holds(variant) { return !isNegated }
        return isNegated
    }

    /// The same letter in its other cases.
    static func variants(_ scalar: Unicode.Scalar) -> [UInt32] {
        let properties = scalar.properties
        var found: [UInt32] = []
        for text in [properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping] {
            let scalars = text.unicodeScalars
            if scalars.count == 1, let only = scalars.first, only != scalar { found.append(only.value) }
        }
        return found
    }

    private func holds(_ code: UInt32) -> Bool {
        for range in ranges where range.contains(code) { return true }
        guard !categories.isEmpty, let scalar = Unicode.Scalar(code) else { return false }
        let name = UnicodeCategory.name(scalar)
        for (names, isNegated) in categories where names.contains(name) != isNegated { return true }
        return false
    }
}

/// Names of general categories.
enum UnicodeCategory {
    static func name(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        default: "Cn"
        }
    }

    private static let all: [String] = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
        "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
    ]

    /// The categories that `name` stands for: itself, or all that begin with its letter.
    static func named(_ name: String) -> Set<String>? {
        if name == "Any" { return Set(all + ["Cn"]) }
        let found = all.filter { $0 == name || (name.utf8.count == 1 && $0.hasPrefix(name)) }
        return found.isEmpty ? nil : Set(found)
    }

    /// The blocks of the scripts that patterns name most.
    static let scripts: [String: [ClosedRange<UInt32>]] = [
        "Latin": [0x41...0x5a, 0x61...0x7a, 0xaa...0xaa, 0xba...0xba, 0xc0...0xd6, 0xd8...0xf6, 0xf8...0x2b8, 0x1e00...0x1eff],
        "Greek": [
            0x370...0x373, 0x375...0x377, 0x37a...0x37d, 0x37f...0x37f, 0x384...0x384, 0x386...0x386, 0x388...0x3e1, 0x3f0...0x3ff,
            0x1f00...0x1fff,
        ],
        "Cyrillic": [0x400...0x484, 0x487...0x52f, 0x1c80...0x1c88, 0x2de0...0x2dff, 0xa640...0xa69f],
        "Han": [
            0x2e80...0x2fd5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029, 0x3038...0x303b, 0x3400...0x4dbf, 0x4e00...0x9fff,
            0xf900...0xfad9, 0x20000...0x323af,
        ],
        "Hiragana": [0x3041...0x3096, 0x309d...0x309f],
        "Katakana": [0x30a1...0x30fa, 0x30fd...0x30ff, 0x31f0...0x31ff, 0x32d0...0x32fe, 0xff66...0xff6f, 0xff71...0xff9d],
        "Hangul": [0x1100...0x11ff, 0x302e...0x302f, 0x3131...0x318e, 0xac00...0xd7a3],
        "Arabic": [
            0x600...0x604, 0x606...0x60b, 0x60d...0x61a, 0x61c...0x61e, 0x620...0x63f, 0x641...0x64a, 0x656...0x66f, 0x671...0x6dc,
            0x6de...0x6ff,
        ],
        "Hebrew": [0x591...0x5c7, 0x5d0...0x5ea, 0x5ef...0x5f4],
        "Thai": [0xe01...0xe3a, 0xe40...0xe5b],
        "Devanagari": [0x900...0x950, 0x955...0x963, 0x966...0x97f],
    ]
}

/// A parsed pattern.
indirect enum RegexNode {
    enum Assertion: Sendable {
        case textStart
        case textEnd
        case lineStart
        case lineEnd
        case wordBoundary
        case notWordBoundary
    }

    case empty
    case set(RegexSet)
    case assertion(Assertion)
    case sequence([RegexNode])
    case choice([RegexNode])
    case repetition(RegexNode, least: Int, most: Int?, isLazy: Bool)
}
