import Foundation
import OnePass
import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePassExperiments

@Suite("Tables") struct TableTests {
  let setting: Setting

  init() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder)
    setting = try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
  }

  @Test("Table 1 has the paper's values beside the measured ones")
  func table1HasThePapersFiguresBesideOurs() throws {
    let table = try #require(TableLayout.table1.table(of: setting))
    #expect(
      table.rows.map { $0[0] } == [
        "Multi-epoch (9 passes)", "One-pass, naive (1 pass)", "One-pass, prioritised replay (k = 8, 10%)",
      ])
    #expect(table.rows[1][1...] == ["40.00 ± 5.77", "0.0", "0.0", "1.1", "3", "30.6", "0.0", "1.1"])
    #expect(table.rows[2][1...] == ["46.00 ± 6.35", "10.0", "11.0", "10.0", "3", "65.0", "10.0", "10.0"])
    // The paper has ninety passes, not nine.
    #expect(table.rows[0].suffix(3) == ["-", "-", "-"])
    // 5, 6, 7: 6 ± 4.303 · 1/√3.
    // t = 10.39, p = 0.0091; against passes Welch's t = -1.63, p = 0.179 (SciPy).
    #expect(
      table.notes.contains(
        "Prioritised replay - naive: +6.00 (3.52 to 8.48) percentage points; paired (df 2), n = 3, p = 0.009, p (Holm) = 0.018."
      ))
    #expect(
      table.notes.contains(
        "Prioritised replay - multi-epoch: -14.00 (-37.92 to 9.92) percentage points; Welch (df 4.0), n = 3, 3, p = 0.179, "
          + "p (Holm) = 0.179."))
    let fields = table.data.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.name, $0.value) }) }
    #expect(
      fields.map { $0["replay_minus_this_test"] } == [
        .text("Welch"), .text("paired"), ResultTable.Field.none,
      ])
  }

  @Test("Table 2 has a row for each number of passes")
  func table2HasARowForEachNumberOfPasses() throws {
    let table = try #require(TableLayout.table2.table(of: setting))
    #expect(table.columns.map(\.name) == ["effective epochs", "compute", "1%", "10%", "multi-epoch (100%)"])
    #expect(
      table.rows == [
        ["2", "2.2", "-", "39.00 ± 5.77 (45.7)", "-"],
        ["9", "10.0", "43.00 ± 6.06 (59.3)", "46.00 ± 6.35 (65.0)", "60.00 ± 5.77 (68.2)"],
      ])
  }

  /// The budget in bytes of the pixel ablation has no column.
  @Test("Table 2 leaves out budgets in bytes")
  func table2LeavesOutBudgetsInBytes() throws {
    let folder = try TemporaryFolder()
    for (name, storage) in [("share", StorageBudget.fraction(0.1)), ("bytes", .bytes(ByteCount(1_000_000)))] {
      try SampleRuns.write(
        SampleRuns.result(seed: 1, top1: 0.5) { $0.memory.storage = storage }, to: folder, name)
    }
    let setting = try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
    let table = try #require(TableLayout.table2.table(of: setting))
    #expect(table.columns.map(\.name) == ["effective epochs", "compute", "10%", "multi-epoch (100%)"])
    #expect(setting.variants.map(\.shortTitle) == ["k = 8, 10%", "k = 8, 1.0 MB"])
  }

  @Test("Ablations are paired")
  func ablationsArePaired() throws {
    let table = try #require(TableLayout.ablations.table(of: setting))
    #expect(table.rows.count == 1 && table.rows[0][0] == "uniform replay, k = 8, 10% storage")
    // 0.2 ± 4.303 · 0.1/√3; t = 3.4641, p = 0.0742 (SciPy).
    #expect(table.rows[0][3...7] == ["+0.20 (-0.05 to 0.45)", "paired (df 2)", "3", "0.074", "0.074"])
    let fields = Dictionary(uniqueKeysWithValues: table.data[0].map { ($0.name, $0.value) })
    #expect(fields["test"] == .text("paired") && fields["degrees_of_freedom"] == .number(2))
    #expect(fields["p_holm"] == fields["p_value"] && fields["group_sizes"] == .text("3"))
  }

  /// Another recipe against the paper's, with the same method and with the paper's method.
  @Test("Recipes are compared with the paper's")
  func recipesAreComparedWithThePapers() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder)
    try SampleRuns.writeMuon(to: folder)
    let settings = Setting.settings(of: try RecordSet(reading: [folder.path]).records)
    #expect(settings.count == 2 && TableLayout.recipe.table(of: settings[0]) == nil)
    let table = try #require(TableLayout.recipe.table(of: settings[1]))
    // Welch's test (SciPy) of 35.1, 46.2, 57.3 with 36.1, 48.2, 60.3 and so on: another recipe is not paired.
    let row = "uniform replay, k = 8, 10% storage, Muon"
    #expect(
      table.rows == [
        [
          row, "48.20 ± 6.99", "same method, paper's recipe", "46.20 ± 6.41", "+2.00 (-24.40 to 28.40)",
          "Welch (df 4.0)", "3, 3", "0.843", "1.000",
        ],
        [
          "", "", "paper's method and recipe", "46.00 ± 6.35", "+2.20 (-24.11 to 28.51)", "Welch (df 4.0)",
          "3, 3", "0.827", "1.000",
        ],
        [
          "multi-epoch, 9 passes, Muon", "62.00 ± 6.35", "same method, paper's recipe", "60.00 ± 5.77",
          "+2.00 (-21.92 to 25.92)", "Welch (df 4.0)", "3, 3", "0.827", "1.000",
        ],
        [
          "", "", "paper's method and recipe", "60.00 ± 5.77", "+2.00 (-21.92 to 25.92)", "Welch (df 4.0)",
          "3, 3", "0.827", "1.000",
        ],
      ])
    #expect(Set(table.data.flatMap { $0.map(\.name) }).count == table.data[0].count)
  }

  /// Multi-epoch training with augmentation does not count as the paper's.
  @Test("Augmented passes are not the paper's")
  func augmentedPassesAreNotThePapers() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.write(
      SampleRuns.result(seed: 1, top1: 0.5) { ($0.replay.steps, $0.memory.storage) = (8, .fraction(0.1)) },
      to: folder,
      "replay")
    try SampleRuns.write(
      SampleRuns.result(seed: 1, top1: 0.7) {
        ($0.method, $0.epochs, $0.augmentation.choice) = (.multiEpoch, 9, .init(policy: .rand))
      }, to: folder, "augmented")
    let setting = try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
    #expect(setting.variants.count == 2 && setting.multiEpoch(9) == nil && setting.reference == nil)
    #expect(try #require(TableLayout.table2.table(of: setting)).rows.map { $0.last } == ["-"])
  }

  @Test("One seed has no interval")
  func oneSeedHasNoInterval() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder, seeds: 1...1)
    let single = try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
    for layout in TableLayout.allCases where layout != .recipe {
      let table = try #require(layout.table(of: single))
      #expect(table.markdown.contains("one seed") && !table.markdown.contains("±  "))
      #expect(!table.markdown.contains("nan"))
    }
  }

  @Test("Markdown and CSV are well-formed")
  func markdownAndCSVAreWellFormed() throws {
    var table = ResultTable("A", columns: ["word", "#number"])
    table.add(["a|b", "1"])
    table.add(data: [
      ("word", .text("say \"a, b\"")), ("number", .number(1.5)), ("none", .none), ("whole", .number(3)),
    ])
    table.notes = ["A note."]
    #expect(table.markdown == "### A\n\n| word | number |\n|---|---:|\n| a\\|b | 1 |\n\nA note.")
    #expect(ResultTable.csv(of: [table]) == "table,word,number,none,whole\nA,\"say \"\"a, b\"\"\",1.5,,3")
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode([table])) as? [[String: Any]]
    let row = try #require((json?.first?["rows"] as? [[String: Any]])?.first)
    #expect(
      row["number"] as? Double == 1.5 && row["none"] is NSNull && row["word"] as? String == "say \"a, b\"")
  }

  /// Each layout has the same names in all rows, so that its CSV has one header.
  @Test("All rows of a layout have the same names", arguments: TableLayout.allCases.filter { $0 != .recipe })
  func dataRowsHaveTheSameNames(layout: TableLayout) throws {
    let table = try #require(layout.table(of: setting))
    #expect(!table.data.isEmpty)
    #expect(Set(table.data.map { $0.map(\.name) }).count == 1)
    #expect(Set(table.data[0].map(\.name)).count == table.data[0].count)
  }
}
