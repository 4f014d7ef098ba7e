import Foundation
import OnePassCore
import Synchronization

/// The output of the program: results to standard output, everything else to standard error.
enum Console {
  /// Writes a result to standard output.
  /// - Throws: `OnePassError` (`io`) if writing fails, for example on a full disk.
  static func result(_ text: String) throws { try write(text + "\n") }

  /// Writes text as it is to standard output.
  /// - Throws: `OnePassError` (`io`) if writing fails.
  static func write(_ text: String) throws {
    guard !text.isEmpty else { return }
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw OnePassError.unwritableResult(cause: error)
    }
  }

  /// Writes a line to standard error. A failure to write is ignored.
  static func error(_ text: String) { status(text + "\n") }

  /// Writes a notice that does not stop the command.
  static func note(_ text: String) { error(styled("Note:", .yellow) + " \(text)") }

  /// Writes the error message of a failed command, the last line of standard error.
  static func failure(_ text: String) {
    let label = "Error:"
    error(text.hasPrefix(label) ? styled(label, .red) + text.dropFirst(label.count) : text)
  }

  /// Writes text without a line break, for status lines.
  static func status(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        if errno == EPIPE { readerIsGone() }
        return
      }
      bytes = bytes.dropFirst(written)
    }
  }

  private static let readerGone = Mutex<(@Sendable () -> Void)?>(nil)

  /// Makes a closed pipe behind standard error call a handler once, in place of ending the process (SIGPIPE).
  static func whenReaderIsGone(_ handler: @escaping @Sendable () -> Void) {
    signal(SIGPIPE, SIG_IGN)
    readerGone.withLock { $0 = handler }
  }

  private static func readerIsGone() {
    let handler = readerGone.withLock { handler in
      defer { handler = nil }
      return handler
    }
    handler?()
  }

  /// Whether standard error is a terminal that can overwrite lines.
  static let isLive: Bool = {
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    return isatty(STDERR_FILENO) == 1 && !kind.isEmpty && kind != "dumb"
  }()

  /// A text attribute of ECMA-48, section 8.3.117.
  enum Style: Int {
    case bold = 1
    case red = 31
    case yellow = 33
  }

  /// Colour is used on terminals only, and not if NO_COLOR is set (https://no-color.org).
  private static let hasColour =
    isLive && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// Text with an attribute, if standard error has colour.
  static func styled(_ text: some StringProtocol, _ style: Style) -> String {
    hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : "\(text)"
  }

  /// The width of the terminal behind standard error, in columns.
  static var width: Int { size.columns }

  /// The height of the terminal behind standard error, in lines.
  static var height: Int { size.lines }

  private static var size: (columns: Int, lines: Int) {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
