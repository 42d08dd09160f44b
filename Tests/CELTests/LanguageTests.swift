import Testing

@testable import CEL

@Suite struct LanguageTests {
    @Test(arguments: [
        CELExample("1 + 2 * 3", .equals("7")), CELExample("(1 + 2) * 3", .equals("9")), CELExample("7 / 2", .equals("3")),
        CELExample("-7 / 2", .equals("-3")), CELExample("-7 % 3", .equals("-1")), CELExample("2 - 3 - 4", .equals("-5")),
        CELExample("0x1F", .equals("31")), CELExample("-0x10", .equals("-16")), CELExample("0xFFu", .equals("255u")),
        CELExample("1.5e3", .equals("1500.0")), CELExample(".5", .equals("0.5")), CELExample("1e-2", .equals("0.01")),
        CELExample("--1", .equals("1")), CELExample("!!true"), CELExample("!false"), CELExample("- -1", .equals("1")),
        CELExample("true ? 1 : 2", .equals("1")), CELExample("false ? 1 : true ? 2 : 3", .equals("2")),
        CELExample("9223372036854775807", .equals("9223372036854775807")), CELExample("-9223372036854775808 < 0"),
        CELExample("1 // a comment\n + 1", .equals("2")), CELExample("[1, 2,]", .equals("[1, 2]")),
        CELExample("{'a': 1,}", .equals("{'a': 1}")), CELExample("'a' 'b'", .refused("extraneous input ''b'' expecting <EOF>")),
    ]) func `arithmetic, literals and precedence`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample(#"'a\tb'"#, .equals("\"a\tb\"")), CELExample(#"r'a\tb'.size()"#, .equals("4")),
        CELExample(#"'''one 'two' '''"#, .equals(#""one 'two' ""#)), CELExample("\"\"\"a\nb\"\"\"", .equals(#"'a\nb'"#)),
        CELExample(#"'\x41\u00e9\U0001F600\101'"#, .equals("'Aé😀A'")), CELExample(#"'\u00e9'.size()"#, .equals("1")),
        CELExample(#"b'\xff\101'.size()"#, .equals("2")), CELExample(#"b'é'.size()"#, .equals("2")),
        CELExample(#"b'abc' == bytes('abc')"#), CELExample(#"R"\d+" == '\\d+'"#), CELExample(#"''.size()"#, .equals("0")),
        CELExample(#"'\q'"#, .refused(#"token recognition error at: ''\q'"#)),
        CELExample(#"'\uD800'"#, .refused("invalid unicode code point")),
        CELExample(#"'\400'"#, .refused(#"token recognition error at: ''\4'"#)),
        CELExample("'open", .refused("Syntax error: token recognition error at: ''open'")),
        CELExample("'a\nb'", .refused("Syntax error: token recognition error")),
    ]) func `strings and bytes`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("9223372036854775807 + 1", .fails("integer overflow")),
        CELExample("-9223372036854775808 - 1", .fails("integer overflow")),
        CELExample("9223372036854775807 * 2", .fails("integer overflow")),
        CELExample("-(-9223372036854775807 - 1)", .fails("integer overflow")),
        CELExample("(-9223372036854775807 - 1) / -1", .fails("integer overflow")),
        CELExample("0u - 1u", .fails("unsigned integer overflow")),
        CELExample("18446744073709551615u + 1u", .fails("unsigned integer overflow")),
        CELExample("1 / 0", .fails("division by zero")), CELExample("1u / 0u", .fails("division by zero")),
        CELExample("1 % 0", .fails("modulus by zero")), CELExample("1.0 / 0.0 > 1e308"),
        CELExample("9223372036854775808", .refused("invalid int literal")),
        CELExample("18446744073709551616u", .refused("invalid uint literal")), CELExample("1e999", .refused("invalid double literal")),
        CELExample("uint(-1)", .refused("unsigned integer overflow")), CELExample("uint(x - 8)", .fails("unsigned integer overflow")),
        CELExample("int(x * 2) == 14"), CELExample("int(1e30 + double(x))", .fails("integer overflow")),
        CELExample("duration('1s') + duration('500ms')", .equals("duration('1500ms')")),
        CELExample("timestamp('9999-12-31T23:59:59Z') + duration('1s')", .fails("timestamp overflow")),
    ]) func `overflow and division are errors`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("1 == 1.0", .refused("found no matching overload for '_==_' applied to '(int, double)'")),
        CELExample("dyn(1) == 1.0"), CELExample("dyn(1) == 1u"), CELExample("dyn(1u) == 1.0"), CELExample("dyn(1) != 1.5"),
        CELExample("1 < 1.5"), CELExample("2u > 1"), CELExample("1.0 <= 1u"), CELExample("-1 < 0u"),
        CELExample("18446744073709551615u > 9223372036854775807"), CELExample("dyn('a') == 1", .equals("false")),
        CELExample("[1, 2] == [1, 2]"), CELExample("dyn([1, 2]) == [1.0, 2.0]"), CELExample("[1] == [1, 2]", .equals("false")),
        CELExample("{'a': [1], 'b': [2]} == {'b': [2], 'a': [1]}"),
        CELExample("{'a': 1, 'b': [2]}", .refused("expected type 'int' but found 'list(int)'")), CELExample("{'a': 1} != {'a': 2}"),
        CELExample("null == null"), CELExample("none == null"), CELExample("dyn(null) == 0", .equals("false")),
        CELExample("'a' < 'b' && 'B' < 'a' && 'a' < 'aa'"), CELExample("b'a' < b'b'"), CELExample("false < true"),
        CELExample("double('NaN') == double('NaN')", .equals("false")), CELExample("double('NaN') != double('NaN')"),
        CELExample("double('NaN') < 1.0", .fails("NaN values cannot be ordered")),
        CELExample("1 in [1, 2]"), CELExample("dyn(1.0) in [1, 2]"), CELExample("'a' in {'a': 1}"), CELExample("!('b' in {'a': 1})"),
        CELExample("dyn(1u) in {1: 'a'}"), CELExample("x in [7, 8]"), CELExample("name in words", .equals("false")),
        CELExample("type(1) == int"), CELExample("type('') == string"), CELExample("type([1]) == type(['a'])"),
        CELExample("type({}) == map"),
        CELExample("type(type(1)) == type"), CELExample("type(null) == null_type"), CELExample("type(1.0) != type(1)"),
        CELExample("type(timestamp(0)) == google.protobuf.Timestamp"),
    ]) func `equality and order go across numbers`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("true || 1 / 0 > 0"), CELExample("1 / 0 > 0 || true"), CELExample("false && 1 / 0 > 0", .equals("false")),
        CELExample("1 / 0 > 0 && false", .equals("false")), CELExample("false || 1 / 0 > 0", .fails("division by zero")),
        CELExample("true && 1 / 0 > 0", .fails("division by zero")), CELExample("1 / 0 > 0 || 1 % 0 > 0", .fails("division by zero")),
        CELExample("[1, 0].exists(i, 1 / i == 1)"), CELExample("[0, 1].exists(i, 1 / i == 1)"),
        CELExample("[0, 1].all(i, 1 / i == 5)", .equals("false")), CELExample("[0, 1].all(i, 1 / i == 1)", .fails("division by zero")),
        CELExample("[0, 1].exists_one(i, 1 / i == 1)", .fails("division by zero")),
        CELExample("x > 1 && x", .fails("no such overload")),
        CELExample("1 && true", .refused("expected type 'bool' but found 'int'")),
        CELExample("true ? 1 : 1 / 0", .equals("1")), CELExample("(1 / 0 > 0) ? 1 : 2", .fails("division by zero")),
    ]) func `errors are absorbed where the other side decides`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("object.metadata.name", .equals("'web'")), CELExample("object['metadata']['name']", .equals("'web'")),
        CELExample("object.metadata.labels['tier-1']", .equals("'front'")), CELExample("has(object.metadata.name)"),
        CELExample("!has(object.metadata.namespace)"), CELExample("object.spec.ports[1].port", .equals("443")),
        CELExample("object.spec.ratio == 0.5"), CELExample("object.nothing", .fails("no such key: nothing")),
        CELExample("object.spec.ports[2]", .fails("index out of bounds: 2")),
        CELExample("object.spec.ports[-1]", .fails("index out of bounds: -1")), CELExample("[1, 2][5]", .fails("index out of bounds: 5")),
        CELExample("{'a': 1}['b']", .fails("no such key: b")), CELExample("{1: 'one'}[1]", .equals("'one'")),
        CELExample("list[dyn(1.0)]", .equals("1")), CELExample("has({'a': null}.a)"),
        CELExample("name.first", .fails("no such key: first")),
        CELExample("'abc'.first", .refused("type 'string' does not support field selection")),
        CELExample("has(x)", .refused("invalid argument to has() macro")),
        CELExample("size(words) + words.size()", .equals("6")), CELExample("size('héé')", .equals("3")),
        CELExample("size({'a': 1}) == 1 && b'ab'.size() == 2"),
    ]) func `selection and indexes`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("list.map(i, i * 2)", .equals("[6, 2, 4]")), CELExample("list.filter(i, i > 1)", .equals("[3, 2]")),
        CELExample("list.map(i, i > 1, i * 2)", .equals("[6, 4]")), CELExample("list.all(i, i > 0) && list.exists(i, i == 3)"),
        CELExample("list.exists_one(i, i == 3)"), CELExample("list.existsOne(i, i < 2)", .refused("undeclared reference to 'existsOne'")),
        CELExample("[].all(i, false)"),
        CELExample("{'b': 1, 'a': 2}.map(k, k)", .equals("['b', 'a']")), CELExample("{'a': 1}.all(k, k == 'a')"),
        CELExample("[[1, 2], [3]].map(l, l.map(i, i + 1))", .equals("[[2, 3], [4]]")),
        CELExample("[1, 2].map(i, [1, 2].map(i, i * 10))", .equals("[[10, 20], [10, 20]]")),
        CELExample("[1, 2].map(x, x + 1).map(y, y * 2)", .equals("[4, 6]")), CELExample("x == 7 && [1].all(x, x == 1) && x == 7"),
        CELExample("[1, 2].all(i, v, v == i + 1)"), CELExample("{'a': 1}.exists(k, v, k == 'a' && v == 1)"),
        CELExample("{'a': 1, 'b': 2}.existsOne(k, v, v > 1)"),
        CELExample("['a', 'b'].transformList(i, v, v + string(i))", .equals("['a0', 'b1']")),
        CELExample("[1, 2, 3].transformList(i, v, i > 0, v * v)", .equals("[4, 9]")),
        CELExample("{'a': 1}.transformMap(k, v, v + 1)", .equals("{'a': 2}")),
        CELExample("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, k)", .equals("{'b': 'b'}")),
        CELExample("{'a': 'x', 'b': 'y'}.transformMapEntry(k, v, {v: k})", .equals("{'x': 'a', 'y': 'b'}")),
        CELExample("['a', 'a'].transformMapEntry(i, v, {v: i})", .fails("insert failed: key a already exists")),
        CELExample("[1].all(i.j, true)", .refused("argument must be a simple name")),
        CELExample("[1].map(1, true)", .refused("argument is not an identifier")),
        CELExample("[1].all(i, i, true)", .refused("duplicate variable name: i")),
        CELExample("[1].all(__result__, true)", .refused("iteration variable overwrites accumulator variable")),
        CELExample(
            "1.all(i, true)",
            .refused("expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)")
        ),
        CELExample("[1].all(i, i)", .refused("expected type 'bool' but found 'int'")),
    ]) func `macros`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("object.?spec.?replicas.orValue(1)", .equals("3")), CELExample("object.?spec.?missing.orValue(1)", .equals("1")),
        CELExample("object.?nothing.deeper.orValue('d')", .equals("'d'")), CELExample("list[?1].value()", .equals("1")),
        CELExample("list[?9].hasValue()", .equals("false")), CELExample("{'a': 1}[?'b'].orValue(5)", .equals("5")),
        CELExample("optional.of(1).value()", .equals("1")), CELExample("optional.none().value()", .fails("optional.none() dereference")),
        CELExample("optional.ofNonZeroValue('').hasValue()", .equals("false")),
        CELExample("optional.ofNonZeroValue(3).value()", .equals("3")),
        CELExample("optional.none().or(optional.of(2)).value()", .equals("2")),
        CELExample("optional.of(1).or(optional.of(1 / 0)).value()", .equals("1")),
        CELExample("optional.of(3).optMap(v, v * 2).value()", .equals("6")),
        CELExample("optional.none().optMap(v, v)", .equals("optional.none()")),
        CELExample("object.?spec.optFlatMap(s, s.?replicas).orValue(0)", .equals("3")),
        CELExample("[1, ?optional.none(), ?optional.of(2)]", .equals("[1, 2]")),
        CELExample("{?'a': optional.none(), ?'b': optional.of(1)}", .equals("{'b': 1}")),
        CELExample("[?1]", .refused("expected type 'optional_type(int)' but found 'int'")),
        CELExample("has(object.?spec.replicas)"), CELExample("!has(object.?nope.replicas)"),
        CELExample("optional.of(1) == optional.of(1) && optional.of(1) != optional.none()"),
        CELExample("[1, 2].first().value() + [1, 2].last().value()", .equals("3")), CELExample("[].first().hasValue()", .equals("false")),
        CELExample("optional.unwrap([optional.of(1), optional.none()])", .equals("[1]")),
        CELExample("[optional.of(4)].unwrapOpt()", .equals("[4]")),
    ]) func `optional values`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("int('42') + int(4.9) + int(7u)", .equals("53")), CELExample("uint(5) + uint('3')", .equals("8u")),
        CELExample("double('1.5') + double(2)", .equals("3.5")),
        CELExample("string(1) + string(1.5) + string(true)", .equals("'11.5true'")),
        CELExample("string(b'abc')", .equals("'abc'")),
        CELExample("string(dyn(b'\\xff'))", .refused("invalid UTF-8 in bytes, cannot convert to string")),
        CELExample("bool('true') && !bool('0')"), CELExample("int(timestamp('2020-01-01T00:00:00Z'))", .equals("1577836800")),
        CELExample("timestamp(1577836800)", .equals("timestamp('2020-01-01T00:00:00Z')")),
        CELExample("string(timestamp('2020-01-01T00:00:00.5Z'))", .equals("'2020-01-01T00:00:00.5Z'")),
        CELExample("string(duration('1h1m1.5s'))", .equals("'3661.5s'")), CELExample("int(duration('1s'))", .equals("1000000000")),
        CELExample("int(name)", .fails("type conversion error from 'string' to 'int'")),
        CELExample("double('abc' + name)", .fails("type conversion error from 'string' to 'double'")),
        CELExample("duration('1x')", .refused("invalid duration argument")),
        CELExample("timestamp('nope')", .refused("invalid timestamp argument")),
        CELExample("dyn(1) + 1", .equals("2")),
    ]) func `conversions`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getFullYear()", .equals("2024")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getMonth()", .equals("1")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getDate()", .equals("29")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getDayOfMonth()", .equals("28")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getDayOfYear()", .equals("59")),
        CELExample("timestamp('2024-12-31T00:00:00Z').getDayOfYear()", .equals("365")),
        CELExample("timestamp('2023-12-31T00:00:00Z').getDayOfYear()", .equals("364")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getDayOfWeek()", .equals("4")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getHours()", .equals("23")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getMinutes('+00:45')", .equals("15")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getDate('+01:00')", .equals("1")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getHours('-02:30')", .equals("21")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getSeconds()", .equals("5")),
        CELExample("timestamp('2024-02-29T23:30:05.250Z').getMilliseconds()", .equals("250")),
        CELExample("timestamp('1969-12-31T23:59:59Z').getHours()", .equals("23")),
        CELExample("timestamp('2024-07-01T12:00:00Z').getHours('UTC')", .equals("12")),
        CELExample("timestamp('2024-07-01T12:00:00Z').getHours('Not/AZone')", .fails("unknown time zone Not/AZone")),
        CELExample("timestamp('2024-07-01T12:00:00Z').getHours('../passwd')", .fails("unknown time zone ../passwd")),
        CELExample("duration('3h30m').getHours() + duration('3h30m').getMinutes()", .equals("213")),
        CELExample("duration('1.5s').getMilliseconds()", .equals("1500")),
        CELExample("timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z')", .equals("duration('24h')")),
        CELExample("timestamp('2024-01-01T00:00:00Z') + duration('-1s') < timestamp('2024-01-01T00:00:00Z')"),
    ]) func `times`(example: CELExample) { check(example) }

    @Test func `zones of the tz database follow daylight saving`() throws {
        guard (try? evaluate("timestamp(0).getHours('Europe/Berlin')").get()) != nil else { return }
        check(CELExample("timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin')", .equals("14")))
        check(CELExample("timestamp('2024-01-01T12:00:00Z').getHours('Europe/Berlin')", .equals("13")))
        check(CELExample("timestamp('2090-07-01T12:00:00Z').getHours('America/New_York')", .equals("8")))
        check(CELExample("timestamp('2090-12-01T12:00:00Z').getHours('America/New_York')", .equals("7")))
        check(CELExample("timestamp('2024-01-01T12:00:00Z').getHours('Australia/Sydney')", .equals("23")))
        check(CELExample("timestamp('2090-01-01T12:00:00Z').getHours('Australia/Sydney')", .equals("23")))
    }
}
