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

  /// What a command has to say beside its result; that it cannot be written is no reason to stop.
  static func error(_ text: String) { status(text + "\n") }

  /// What the user should know and that stops nothing.
  static func note(_ text: String) { error(styled("Note:", .yellow) + " \(text)") }

  /// Why a command fails, in the words that go to standard error last.
  static func failure(_ text: String) {
    let label = "Error:"
    error(text.hasPrefix(label) ? styled(label, .red) + text.dropFirst(label.count) : text)
  }

  /// Text without a line break, for a line that is written over.
  static func status(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Whether standard error is a terminal on which a line can be written over.
  static let isLive: Bool = {
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    return isatty(STDERR_FILENO) == 1 && !kind.isEmpty && kind != "dumb"
  }()

  /// How a few words stand out: an attribute of ECMA-48, section 8.3.117.
  enum Style: Int {
    case bold = 1
    case red = 31
    case yellow = 33
  }

  /// Colour is for terminals, and never where NO_COLOR is set to anything (https://no-color.org).
  private static let hasColour =
    isLive && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// Text for standard error that stands out where there is colour.
  static func styled(_ text: some StringProtocol, _ style: Style) -> String {
    hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : "\(text)"
  }

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
