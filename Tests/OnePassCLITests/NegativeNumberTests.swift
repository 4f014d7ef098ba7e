import Testing

@testable import OnePassCLI

@Suite("Negative numbers on the command line") struct NegativeNumberTests {
  @Test("A number behind an option is its value")
  func aNumberIsAValue() {
    func joined(_ text: String) -> [String] {
      OnePassCommand.joiningNegativeNumbers(text.split(separator: " ").map(String.init))
    }
    #expect(joined("train --learning-rate -0.1 -q") == ["train", "--learning-rate=-0.1", "-q"])
    #expect(joined("train --limit -5 --seed=3 -7") == ["train", "--limit=-5", "--seed=3", "-7"])
    #expect(joined("predict -- -5 -q -0") == ["predict", "--", "-5", "-q", "-0"])
    #expect(joined("--limit -x --limit -1e3") == ["--limit", "-x", "--limit=-1e3"])
  }
}
