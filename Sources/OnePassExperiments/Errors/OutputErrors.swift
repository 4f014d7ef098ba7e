import Foundation
import OnePassCore

/// Errors in writing experiments, reports and charts.
extension OnePassError {
  /// - Parameter option: The option that names the folder: `--output`.
  static func cannotCreateFolder(_ path: String, from option: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path): the folder cannot be created; choose another \(option).", cause: cause)
  }

  /// - Parameter error: The number that the system reported (`errno`).
  static func cannotWriteFolder(_ path: String, error: Int32) -> OnePassError {
    OnePassError(
      .io,
      "\(path): the folder cannot be written (\(String(cString: strerror(error)))); choose another --output.")
  }

  static func folderInUse(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path): in use by another `onepass experiment run`; wait for it or choose another --output.")
  }

  static func cannotWriteCommands(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path): cannot be written; free disk space or choose another --output.", cause: cause)
  }

  static func cannotWritePage(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path): cannot be written; choose another path.", cause: cause)
  }

  static func pageInTheWay(_ path: String, of run: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path): exists and is not a page of \(run); choose another file with --html or remove it.")
  }

  static func cannotStartCell(_ program: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(program): cannot be started (\(cause.localizedDescription)).", cause: cause)
  }
}

/// Why a cell of a grid has no usable record, as printed after the name of the cell.
enum CellFailure {
  static func noResult(in folder: String) -> String {
    "\(folder): the folder is not empty and has no result.json; remove it."
  }

  /// - Parameter difference: The first option that differs: `limit 100, not 50`.
  static func otherOptions(in folder: String, _ difference: String) -> String {
    "\(folder): trained with other options (\(difference)); remove it or choose another --output."
  }

  static func notEvaluated(in folder: String) -> String {
    "\(folder): trained but not evaluated; remove it to train it again."
  }

  static func unreadable(_ folder: String, _ error: any Error) -> String {
    "\(error) Remove \(folder) to train it again."
  }

  static func signal(_ number: Int32) -> String { "Terminated by signal \(number)." }
  static func status(_ status: Int32) -> String { "Exited with status \(status)." }
  static let noRecord = "Exited without writing result.json."
}
