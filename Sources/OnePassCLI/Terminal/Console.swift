import Foundation
import OnePassCore

/// Where the program writes: results to standard output, everything else to standard error.
enum Console {
  /// - Throws: `OnePassError` (`io`) if standard output takes no more, as on a full disk.
  static func result(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    } catch {
      throw OnePassError(
        .io, "The result cannot be written to standard output: free some space, or pipe it elsewhere.",
        cause: error)
    }
  }

  /// Notices and progress; that they cannot be written is no reason to stop.
  static func error(_ text: String) { status(text + "\n") }

  /// Text without a line break, for a line that is written over.
  static func status(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// The width of the terminal behind standard error, in columns.
  static var width: Int { size.columns }

  /// Its height, in lines.
  static var height: Int { size.lines }

  private static var size: (columns: Int, lines: Int) {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
