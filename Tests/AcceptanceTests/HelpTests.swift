import TestSupport
import Testing

@Suite struct HelpTests {
  @Test func helpNamesEverySubcommand() throws {
    let outcome = try onepass.run(["--help"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    for name in ["train", "evaluate", "predict", "compare", "experiment", "pack", "memory"] {
      #expect(outcome.output.contains("\n  \(name) "), "\(outcome.output)")
    }
  }

  @Test(arguments: [
    ["train"], ["evaluate"], ["predict"], ["compare"], ["pack"], ["memory", "inspect"],
    ["experiment"], ["experiment", "run"], ["experiment", "table"], ["experiment", "report"],
  ])
  func everySubcommandExplainsItself(command: [String]) throws {
    let outcome = try onepass.run(command + ["--help"])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("OVERVIEW: "))
  }

  /// The names of the contract, on which scripts rely.
  @Test func trainKeepsItsContract() throws {
    let help = try onepass.run(["train", "--help"]).output
    for option in [
      "--data", "--eval-data", "--model", "--method", "--storage", "--replay-steps", "--priority", "--epochs",
      "--limit", "--seed", "--batch-size", "--learning-rate", "--device", "--threads", "--output", "--json",
    ] {
      // At the start of a line of the list, alone or before its opposite.
      let found = ["\n", " ", "/"].contains { help.contains("\n  \(option)\($0)") }
      #expect(found, "\(option)")
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionsAreThere(shell: String) throws {
    let outcome = try onepass.run(["--generate-completion-script", shell])
    #expect(outcome.status == 0 && outcome.output.contains("replay-steps"))
  }

  @Test func versionIsPrinted() throws {
    let outcome = try onepass.run(["--version"])
    #expect(outcome.status == 0 && outcome.output.split(separator: ".").count == 3)
  }
}
