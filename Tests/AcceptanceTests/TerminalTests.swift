import Foundation
import TestSupport
import TestTraits
import Testing

/// The output on a terminal, and in a file.
@Suite("Output on terminals and in files", .waitsForPrograms) struct TerminalTests {
  /// The arguments of a run without --quiet.
  let training: [String]
  private let runs: RunFixture

  init() throws {
    runs = try RunFixture(
      StripedImages(count: 200),
      options: ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--replay-steps", "1"])
    training = runs.arguments(nil)
  }

  /// The successive contents of all lines, without control sequences.
  func lines(_ screen: String) throws -> [String] {
    screen.replacing(try Regex("\u{1B}\\[[0-9;]*[A-Za-z]"), with: "")
      .split(whereSeparator: { $0 == "\r" || $0.isNewline }).map(String.init)
  }

  @Test("A terminal shows the progress of a run")
  func aTerminalShowsProgress() throws {
    let shown = try PseudoTerminal().run(onepass, training)
    #expect(shown.status == 0 && shown.screen.contains("\r\u{1B}[2K"))
    let last = try #require(lines(shown.screen).last)
    for figure in ["100 %", "images/s", "loss ", "accuracy ", "memory 100 %", "0:00 left"] {
      #expect(last.contains(figure), "\(last)")
    }
    #expect(last.count < 80)
  }

  @Test("No line is wider than the terminal", arguments: [100, 60, 40, 20, 8] as [UInt16])
  func noLineIsLongerThanTheTerminal(columns: UInt16) throws {
    let screen = try PseudoTerminal(columns: columns).run(onepass, training).screen
    let renewed = try lines(screen).filter { $0.hasPrefix("  ") || $0.hasPrefix("100 %") }
    #expect(!renewed.isEmpty && renewed.allSatisfy { $0.count < Int(columns) }, "\(renewed)")
    #expect(try #require(renewed.last).hasPrefix("100 %"))
    #expect(renewed.last?.contains("step 13/13") == (columns == 100))
  }

  @Test("A file gets no progress and no control characters")
  func aFileGetsNoProgress() throws {
    let outcome = try onepass.run(training)
    #expect(outcome.status == 0 && outcome.otherErrors.isEmpty, "\(outcome.errors)")
    #expect(outcome.output.contains("compute    "))
    let lines = try onepass.run(training + ["--progress", "lines"])
    #expect(lines.errors.contains("Training on 200 examples") && lines.errors.contains("images/s"))
    #expect(!lines.errors.contains("\u{1B}") && !lines.errors.contains("\r"))
  }

  @Test("Only terminals get colour")
  func onlyTerminalsGetColour() throws {
    let wrong = ["train", "--data", "nothing"]
    let red = "\u{1B}[31mError:\u{1B}[0m \"nothing\": unknown data source;"
    let shown = try PseudoTerminal().run(onepass, wrong)
    #expect(shown.status == 64 && shown.screen.contains(red), "\(shown.screen)")
    for (kind, variables) in [
      ("xterm", ["NO_COLOR": "1"]), ("xterm", ["NO_COLOR": "false"]), ("dumb", [:]), ("", [:]),
    ] {
      let plain = try PseudoTerminal(kind: kind).run(onepass, wrong, environment: variables)
      #expect(plain.screen.hasPrefix("Error: \"nothing\": unknown data source;"), "\(plain.screen)")
    }
    #expect(
      try PseudoTerminal().run(onepass, wrong, environment: ["NO_COLOR": ""]).screen.contains(red))
    #expect(try onepass.run(wrong).errors.hasPrefix("Error: \"nothing\": unknown data source;"))
  }

  @Test("A dumb terminal gets no progress")
  func aDumbTerminalGetsNoProgress() throws {
    let shown = try PseudoTerminal(kind: "dumb").run(onepass, training)
    #expect(shown.status == 0, "\(shown.screen)")
    #expect(
      try lines(shown.screen).allSatisfy { $0.hasPrefix("Note: The run will make only ") }, "\(shown.screen)")
  }

  /// Errors of the argument parser look like those of the program.
  @Test("Parse errors are red like all other errors")
  func parseErrorsAreRed() throws {
    let shown = try PseudoTerminal().run(onepass, ["train", "--modle", "resnet8"])
    #expect(shown.status == 64)
    #expect(
      shown.screen.hasPrefix("\u{1B}[31mError:\u{1B}[0m Unknown option '--modle'. Did you mean '--model'?"))
  }
}
