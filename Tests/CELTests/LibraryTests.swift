import Testing

@testable import CEL

@Suite struct LibraryTests {
    @Test(arguments: [
        CELExample("'hello'.charAt(1)", .equals("'e'")), CELExample("'hello'.charAt(5)", .equals("''")),
        CELExample("'hello'.charAt(6)", .fails("index out of range: 6")), CELExample("'hello'.indexOf('l')", .equals("2")),
        CELExample("'hello'.indexOf('l', 3)", .equals("3")), CELExample("'hello'.indexOf('x')", .equals("-1")),
        CELExample("'hello'.lastIndexOf('l')", .equals("3")), CELExample("'hello'.lastIndexOf('l', 2)", .equals("2")),
        CELExample("'hello'.lastIndexOf('')", .equals("5")), CELExample("'HeLLo'.lowerAscii() + 'é'.upperAscii()", .equals("'helloé'")),
        CELExample("'a-b-c'.replace('-', '+')", .equals("'a+b+c'")), CELExample("'a-b-c'.replace('-', '+', 1)", .equals("'a+b-c'")),
        CELExample("'ab'.replace('', '_')", .equals("'_a_b_'")), CELExample("'ab'.replace('', '_', 2)", .equals("'_a_b'")),
        CELExample("'a,b,c'.split(',')", .equals("['a', 'b', 'c']")), CELExample("'a,b,c'.split(',', 2)", .equals("['a', 'b,c']")),
        CELExample("'abc'.split('')", .equals("['a', 'b', 'c']")), CELExample("'abc'.split(',', 0)", .equals("[]")),
        CELExample("'tacocat'.substring(4)", .equals("'cat'")), CELExample("'tacocat'.substring(0, 4)", .equals("'taco'")),
        CELExample("'abc'.substring(2, 1)", .fails("invalid substring range. start: 2, end: 1")),
        CELExample("'abc'.substring(4)", .fails("index out of range: 4")), CELExample("' \\n x \\t'.trim()", .equals("'x'")),
        CELExample("['a', 'b'].join() + ['a', 'b'].join('-')", .equals("'aba-b'")),
        CELExample("strings.quote('a\"b\\n')", .equals(#"'"a\\"b\\n"'"#)),
        CELExample("'abc'.contains('b') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc') && !'ab'.endsWith('abc')"),
        CELExample("jsonpatch.escapeKey('a/b~c')", .refused("undeclared reference to 'jsonpatch'")),
    ]) func `strings`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("'%s is %d'.format(['x', 3])", .equals("'x is 3'")), CELExample("'%%'.format([])", .equals("'%'")),
        CELExample("'%.2f'.format([1234.567])", .equals("'1,234.57'")), CELExample("'%f'.format([1.5])", .equals("'1.500000'")),
        CELExample("'%e'.format([1052.032911275])", .equals("'1.052033×10⁰³'")),
        CELExample("'%b %o %x %X'.format([5, 8, 255, 255])", .equals("'101 10 ff FF'")),
        CELExample("'%x'.format(['ab'])", .equals("'6162'")),
        CELExample("'%s'.format([[1, 'a', 1.5, null]])", .equals(#"'[1, "a", 1.500000, null]'"#)),
        CELExample("'%s'.format([{'b': 1, 'a': duration('1s')}])", .equals(#"'{"a":duration("1s"), "b":1}'"#)),
        CELExample("'%s %s'.format([timestamp(0), type(1)])", .equals("'1970-01-01T00:00:00Z int'")),
        CELExample("'%d'.format([name])", .fails("error during formatting: decimal clause can only be used on integers, was given string")),
        CELExample("'%s %s %s %s'.format(words)", .fails("index 3 out of range")),
        CELExample(
            "'%d'.format(['a'])",
            .refused("error during formatting: decimal clause can only be used on integers, was given string")
        ),
        CELExample("'%s'.format([1, 2])", .refused("too many arguments supplied to string.format (expected 1, got 2)")),
        CELExample("'%z'.format(words)", .fails("could not parse formatting clause: unrecognized formatting clause \"z\"")),
    ]) func `formatting`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("[1, 2, 3].isSorted() && !list.isSorted() && [].isSorted()"), CELExample("[1, 2, 3].sum()", .equals("6")),
        CELExample("[].sum()", .equals("0")), CELExample("[1.5, 2.5].sum()", .equals("4.0")),
        CELExample("list.min() + list.max()", .equals("4")),
        CELExample("[duration('1s'), duration('2s')].sum()", .equals("duration('3s')")),
        CELExample("[].min()", .fails("min called on empty list")),
        CELExample("words.indexOf('apple')", .equals("1")), CELExample("[1, 2, 1].lastIndexOf(1)", .equals("2")),
        CELExample("[1].indexOf(3)", .equals("-1")),
        CELExample("[3, 1, 2].sort()", .equals("[1, 2, 3]")), CELExample("words.sortBy(w, w.size())", .equals("['fig', 'pear', 'apple']")),
        CELExample("[1, 2, 3, 4].slice(1, 3)", .equals("[2, 3]")),
        CELExample("[1].slice(0, 2)", .fails("cannot slice(0, 2), list is length 1")),
        CELExample("[dyn([1]), dyn([dyn(2), dyn([3])])].flatten(2)", .equals("[1, 2, 3]")),
        CELExample("lists.range(3)", .equals("[0, 1, 2]")),
        CELExample("[1, 2].reverse()", .equals("[2, 1]")),
        CELExample("[dyn(1), dyn(2), dyn(2.0), dyn('a'), dyn([1]), dyn([1])].distinct().size()", .equals("4")),
        CELExample("[1, 2, 1].distinct()", .equals("[1, 2]")),
        CELExample("lists.range(100000000)", .fails("operation cancelled: actual cost limit exceeded")),
        CELExample("sets.contains([1, 2], [2]) && !sets.contains([1], [2])"),
        CELExample("sets.equivalent([1, 1], [1]) && sets.intersects([1, 2], [2, 3])"),
        CELExample("sets.intersects([1], []) == false"),
    ]) func `lists and sets`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("'abc123'.find('[0-9]+')", .equals("'123'")), CELExample("'abc'.find('[0-9]+')", .equals("''")),
        CELExample("'a1b22c'.findAll('[0-9]+')", .equals("['1', '22']")), CELExample("'a1b22c'.findAll('[0-9]+', 1)", .equals("['1']")),
        CELExample("'abc'.matches('b') && matches('abc', '^a.c$')"), CELExample("'abc'.matches('(')", .refused("invalid matches argument")),
        CELExample("'abc'.matches(name + '(')", .fails("error parsing regexp: missing closing ): `apus(`")),
        CELExample("url('https://user@example.com:80/a%20b?x=1&y=2&x=3').getHost()", .equals("'example.com:80'")),
        CELExample("url('https://example.com:80/').getHostname() + url('https://[::1]:80/').getHostname()", .equals("'example.com::1'")),
        CELExample("url('https://example.com:80/').getPort() + url('https://[::1]:81/').getPort()", .equals("'8081'")),
        CELExample("url('https://example.com/a%20b/c d').getEscapedPath()", .equals("'/a%20b/c%20d'")),
        CELExample("url('/path?x=1&y=a%20b&x=3').getQuery()", .equals("{'x': ['1', '3'], 'y': ['a b']}")),
        CELExample("url('/path').getScheme()", .equals("''")),
        CELExample("isURL('https://example.com/') && isURL('/a') && !isURL('a/b') && !isURL('') && !isURL('http://a b/')"),
        CELExample("url('a:b:c').getHost()", .equals("''")),
        CELExample("url('../x')", .fails(#"URL parse error during conversion from string: parse "../x": invalid URI for request"#)),
        CELExample("quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('50m').isLessThan(quantity('1'))"),
        CELExample("quantity('50k').asInteger()", .equals("50000")),
        CELExample("quantity('1').add(quantity('1k')).sub(1).asInteger()", .equals("1000")),
        CELExample("quantity('100m').isInteger()", .equals("false")), CELExample("quantity('1.5').asApproximateFloat()", .equals("1.5")),
        CELExample("quantity('1k') == quantity('1000') && quantity('1').compareTo(quantity('2')) == -1"),
        CELExample("isQuantity('1Ki') && !isQuantity('1K')"),
        CELExample("sign(quantity('-1'))", .equals("-1")), CELExample("type(quantity('1')) == type(quantity('2'))"),
        CELExample("semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('1.10.0').isGreaterThan(semver('1.9.0'))"),
        CELExample("semver('1.2.3').major() + semver('1.2.3').minor() + semver('1.2.3').patch()", .equals("6")),
        CELExample("isSemver('1.2.3') && !isSemver('v1.2') && isSemver('v1.2', true)"),
        CELExample("semver('v01.2', true) == semver('1.2.0')"), CELExample("semver('1.2')", .fails("No Major.Minor.Patch elements found")),
        CELExample("semver('1.0.0-alpha.1').compareTo(semver('1.0.0-alpha.beta'))", .equals("-1")),
    ]) func `patterns, URLs, quantities and versions`(example: CELExample) { check(example) }

    @Test(arguments: [
        CELExample("ip('10.0.0.1').family() + ip('::1').family()", .equals("10")),
        CELExample("isIP('1.2.3.4') && !isIP('1.2.3') && !isIP('::ffff:1.2.3.4')"),
        CELExample("ip('::ffff:1.2.3.4')", .fails(#"IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed"#)),
        CELExample("ip('fe80::1%eth0')", .fails(#"IP address "fe80::1%eth0" with zone value is not allowed"#)),
        CELExample("ip.isCanonical('::1') && !ip.isCanonical('0::1')"), CELExample("string(ip('2001:DB8::0')) == '2001:db8::'"),
        CELExample("ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('224.0.0.1').isLinkLocalMulticast()"),
        CELExample("ip('169.254.1.1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()"),
        CELExample("ip('10.0.0.1') == ip('10.0.0.1') && type(ip('::1')) == net.IP"),
        CELExample("cidr('10.0.0.0/8').containsIP('10.1.1.1') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))"),
        CELExample("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))"),
        CELExample("cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')"),
        CELExample("cidr('10.0.0.0/8').prefixLength() == 8 && string(cidr('10.1.0.0/16')) == '10.1.0.0/16'"),
        CELExample("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/08')"),
        CELExample("format.dns1123Label().validate('ok') == optional.none()"),
        CELExample("format.named('dns1123Label').value().validate('Bad').value().size() == 1"),
        CELExample("!format.named('nope').hasValue()"),
        CELExample("!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()"),
        CELExample("format.byte().validate('%').value()", .equals("['invalid base64']")),
        CELExample("format.dns1123LabelPrefix().validate('a-') == optional.none()"),
        CELExample("format.date().validate('2024-13-01').hasValue() && !format.datetime().validate('2024-01-01T00:00:00Z').hasValue()"),
    ]) func `addresses and formats`(example: CELExample) { check(example) }

    /// Allows what is asked of pods, and to one service account.
    private struct PodsOnly: CELAuthorizer {
        func decide(_ query: CELAuthorizationQuery) -> CELAuthorizationDecision {
            if query.path == "/broken" { return CELAuthorizationDecision(isAllowed: false, error: "out of order") }
            let isKnown = query.serviceAccount?.name == "robot" || query.resource == "pods"
            return CELAuthorizationDecision(isAllowed: isKnown && query.verb == "get", reason: isKnown ? "pods are open" : "")
        }
    }

    @Test(arguments: [
        "authorizer.group('').resource('pods').namespace('default').check('get').allowed()",
        "!authorizer.group('').resource('secrets').check('get').allowed()",
        "authorizer.serviceAccount('default', 'robot').group('apps').resource('deployments').subresource('scale').name('a').check('get').allowed()",
        "authorizer.group('').resource('pods').fieldSelector('a=b').labelSelector('c').check('get').reason() == 'pods are open'",
        "authorizer.path('/broken').check('get').errored() && authorizer.path('/broken').check('get').error() == 'out of order'",
    ]) func `the authorizer is asked`(expression: String) throws {
        let environment = CELEnvironment(variables: [CELVariable("authorizer", CELAuthorizerValue.authorizerType)])
        let program = try environment.compile(expression)
        var budget = CELBudget()
        let value = try program.evaluate(CELValues(["authorizer": .object(CELAuthorizerValue(PodsOnly()))]), budget: &budget).get()
        #expect(value.bool == true)
        #expect(budget.lastCost >= 350_000)
    }
}
