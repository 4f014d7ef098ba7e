import OnePassCore
import Testing

@Suite("Byte counts and storage budgets") struct AmountTests {
  @Test(
    "A byte count is parsed with decimal and binary units",
    arguments: [
      ("500MB", 500_000_000), ("2GiB", 2_147_483_648), ("1.5kB", 1_500), ("10 B", 10), ("1_000kb", 1_000_000),
    ])
  func parsesByteCounts(text: String, bytes: Int) { #expect(ByteCount(text)?.bytes == bytes) }

  @Test(
    "Text that is not a byte count is rejected",
    arguments: ["", "12", "MB", "-1MB", "1XB", "nanMB", "infB", "9999999999TB"])
  func rejectsInvalidByteCounts(text: String) { #expect(ByteCount(text) == nil) }

  @Test(
    "A byte count is printed with at most three digits and a decimal unit",
    arguments: [
      (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_536_000, "1.54 MB"), (14_100_000_000, "14.1 GB"),
      (999_600, "1.0 MB"), (123_456_789, "123 MB"),
    ])
  func printsByteCounts(bytes: Int, text: String) { #expect(ByteCount(bytes).description == text) }

  @Test("A storage budget is parsed from a share, a number of examples and a size")
  func parsesStorageBudgets() throws {
    #expect(try StorageBudget("10%") == .fraction(0.1))
    #expect(try StorageBudget("2.5 %") == .fraction(0.025))
    #expect(try StorageBudget("6000") == .examples(6_000))
    #expect(try StorageBudget("500MB") == .bytes(ByteCount(500_000_000)))
    #expect(try StorageBudget("100%") == .fraction(1))
  }

  @Test(
    "A storage budget is printed in the form in which it was parsed",
    arguments: ["10%", "6000", "500000000B", "2.5%"])
  func printsStorageBudgets(text: String) throws {
    #expect(try StorageBudget(text).description == text)
  }

  @Test(
    "An impossible storage budget is rejected",
    arguments: ["0", "0%", "101%", "-5", "0MB", "many", "", "nan%"])
  func rejectsImpossibleBudgets(text: String) {
    #expect { try StorageBudget(text) } throws: { ($0 as? OnePassError)?.code == .usage }
  }
}
