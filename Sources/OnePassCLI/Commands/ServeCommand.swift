import ArgumentParser
import Foundation
import OnePassCore

/// Starts the program `onepass-serve`, which is built apart.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Train on examples that arrive over HTTP or from a broker, and predict meanwhile.",
    discussion: """
      The configuration file has the options of `onepass train`, and a section for the service:

        model: resnet8
        classes: classes.txt
        storage: 1000
        serve:
          folder: service
          listen: 127.0.0.1:8080
          insecure-loopback: true

      The service is a program of its own, onepass-serve, which \
      `make service` builds. See docs/service.md.
      """)

  @Option(
    help: ArgumentHelp("YAML file with the options of the run and a section serve:.", valueName: "FILE"))
  var config: String

  @Option(help: ArgumentHelp("Address to listen on, instead of that of the file.", valueName: "HOST:PORT"))
  var listen: String?

  func run() throws {
    guard let program = Bundle.main.executableURL?.resolvingSymlinksInPath() else {
      throw OnePassError(.unavailable, "The path of this program is unknown; start onepass-serve itself.")
    }
    let path = program.deletingLastPathComponent().appending(path: "onepass-serve").path
    let arguments = [path, "--config", config] + (listen.map { ["--listen", $0] } ?? [])
    let pointers = arguments.map { strdup($0) } + [nil]
    execv(path, pointers)
    throw OnePassError(
      .unavailable,
      "\(path): cannot be started (\(String(cString: strerror(errno)))); build it with: make service.")
  }
}
