import ArgumentParser
import Foundation
import Logging
import OnePass
import OnePassCLI
import OnePassCore
import OnePassExperiments
import OnePassService

/// Runs the program `onepass-serve`, and never returns.
/// - Parameters:
///   - commit: The hash of the commit that the program is built from; `nil` if unknown.
///   - isModified: Whether tracked files differ from that commit.
package func runOnePassServe(commit: String?, isModified: Bool?) async -> Never {
  SourceRevision.current = commit.map { SourceRevision(commit: $0, isModified: isModified ?? false) }
  do {
    let command = try ServeProgram.parse()
    try await command.serve()
    exit(0)
  } catch let error as OnePassError {
    FileHandle.standardError.write(Data("Error: \(error.message)\n".utf8))
    exit(error.code.exitStatus)
  } catch {
    ServeProgram.exit(withError: error)
  }
}

struct ServeProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onepass-serve",
    abstract: "Train on examples that arrive over HTTP or from a broker, and predict meanwhile.",
    version: SourceRevision.describe(
      version: onePassVersion, commit: SourceRevision.current?.commit,
      isModified: SourceRevision.current?.isModified))

  @Option(
    help: ArgumentHelp("YAML file with the options of the run and a section serve:.", valueName: "FILE"))
  var config: String

  @Option(help: ArgumentHelp("Address to listen on, instead of that of the file.", valueName: "HOST:PORT"))
  var listen: String?

  func serve() async throws {
    var (configuration, options) = try ServiceFile.read(config)
    if let listen { try options.set("listen", to: listen) }
    try options.check()
    let isJSON = options.logsJSON
    LoggingSystem.bootstrap { label -> any LogHandler in
      if isJSON { JSONLogHandler(label: label) } else { StreamLogHandler.standardError(label: label) }
    }
    var logger = Logger(label: "onepass")
    logger.logLevel =
      ProcessInfo.processInfo.environment["LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .info
    Engine.keepFreedMemory()
    let service = try Service(configuration, options)
    try await HTTPService(service, options, logger: logger).run()
  }
}

/// The configuration file of a service: the options of a run, and the section `serve:`.
enum ServiceFile {
  static func read(_ path: String) throws -> (RunConfiguration, ServiceOptions) {
    let settings = try serviceSettings(of: path)
    var options = ServiceOptions()
    for setting in settings.service {
      do { try options.set(setting.name, to: setting.value) } catch let error as OnePassError {
        throw OnePassError(error.code, "\(setting.place): \(error.message)")
      }
    }
    guard !options.folder.isEmpty else {
      try options.check()
      preconditionFailure("An empty folder must be refused.")
    }
    options.folder = URL(fileURLWithPath: options.folder).standardizedFileURL.path
    return (
      try settings.configuration([
        "--data=\(Service.inboxData(in: options.folder))", "--schedule=on-demand", "--broken-limit=1",
      ]),
      options
    )
  }
}
