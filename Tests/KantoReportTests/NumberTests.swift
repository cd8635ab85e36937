import Testing

@testable import KantoReport

@Suite struct NumberTests {
    @Test(arguments: [
        (0.0, "0.0000"), (0.01234, "0.0123"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (-0.374, "−0.374"),
        (2.5e9, "2.5e9"), (-3e200, "−3.0e200"), (.nan, "–"), (.infinity, "–"),
    ] as [(Double, String)])
    func shortNumbersHaveThreeDigitsOrSo(_ value: Double, _ expected: String) { #expect(NumberText.short(value) == expected) }

    @Test func wholeNumbersAndTimes() {
        #expect([0, 7, 999, 1000, 12_345, 1_234_567, -1234].map { NumberText.whole($0) } == ["0", "7", "999", "1,000", "12,345", "1,234,567", "−1,234"])
        #expect(NumberText.whole(1999.6) == "2,000" && NumberText.whole(.nan) == "–")
        #expect([0, 5.9, 84, 3599, 7265, 400_000].map(NumberText.clock) == ["0:00", "0:05", "1:24", "59:59", "2:01:05", "111:06:40"])
        #expect(NumberText.clock(.infinity) == "–" && NumberText.percent(0.706) == "71%" && NumberText.percent(.nan) == "–")
    }

    @Test func pathsHaveShortNumbers() {
        var path = PathText()
        for (number, decimals) in [(1.25, 1), (-0.04, 1), (100, 2), (3.14159, 2), (-2.5, 2), (7, 0)] as [(Double, Int)] {
            path.append(number, decimals: decimals)
            path.append(" ")
        }
        #expect(path.text == "1.3 0 100 3.14 -2.5 7 ")
    }

    @Test(arguments: [
        (0, "0"), (1.23456, "1.235"), (-0.000123456, "-0.0001235"), (123456, "123456"), (1e-12, "1e-12"), (2.5e20, "2.5e20"),
        (.nan, "null"), (-.infinity, "null"),
    ] as [(Double, String)])
    func numbersOfJSONHaveFourDigits(_ value: Double, _ expected: String) {
        var text = PathText()
        text.appendSignificant(value)
        #expect(text.text == expected)
    }

    @Test func whatHasAMeaningInHTMLIsEscaped() {
        #expect(escaped(#"<script>alert("a" & 'b')</script>"#) == "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;")
        #expect(escaped("a\u{0}b\u{1B}[2J\nc é 數") == "a\u{FFFD}b\u{FFFD}[2J\nc é 數")
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func bytesAsText(_ bytes: String, _ expected: String) { #expect(base64(Array(bytes.utf8)) == expected) }

    @Test func numbersOfASentenceStandOut() {
        #expect(
            PageHeader.emphasized("It fell by 12% over 1,000 steps, to 1.02, within 10%.")
                == "It fell by <b>12%</b> over 1,000 steps, to <b>1.02</b>, within <b>10%</b>.")
        #expect(PageHeader.list(["a"]) == "a" && PageHeader.list(["a", "b", "c"]) == "a, b and c")
    }
}
