import Foundation
import OnePass
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

  /// The form of the lines on standard error.
  enum Form: Sendable {
    case plain
    /// Each line starts with the time.
    case timed
    /// JSON Lines.
    /// - rank: The rank of this process; `nil` for a single one.
    case json(rank: Int?)
  }

  private static let currentForm = Mutex(Form.plain)

  /// The form of the lines on standard error, of all threads.
  static var form: Form {
    get { currentForm.withLock { $0 } }
    set { currentForm.withLock { $0 = newValue } }
  }

  /// Writes a line to standard error. A failure to write is ignored.
  static func error(_ text: String) {
    switch form {
    case .plain: status(text + "\n")
    case .timed:
      let time = ProgressLine.time()
      status(text.split { $0 == "\n" || $0 == "\r\n" }.map { "\(time) \($0)\n" }.joined())
    case .json: write(ProgressLine(.notice, message: text))
    }
  }

  /// Writes a line of JSON to standard error, if lines have this form.
  static func write(_ line: ProgressLine) {
    guard case .json(let rank) = form else { return }
    var line = line
    line.rank = rank
    if let text = try? line.text { status(text + "\n") }
  }

  /// Writes a notice that does not stop the command, in one line.
  static func note(_ text: String) {
    if case .json = form { return write(ProgressLine(.notice, message: text)) }
    error(styled("Note:", .yellow) + " \(String(escaping: text.utf8))")
  }

  /// Writes the error message of a failed command, the last line of standard error.
  /// - Parameter status: The exit status of the command.
  static func failure(_ text: String, status: Int32) {
    let label = "Error:"
    if case .json = form {
      var line = ProgressLine(
        .failed,
        message: text.hasPrefix(label) ? String(text.dropFirst(label.count).drop { $0 == " " }) : text)
      line.status = status
      return write(line)
    }
    error(text.hasPrefix(label) ? styled(label, .red) + text.dropFirst(label.count) : text)
  }

  private static let writing = Mutex(())

  /// Writes text without a line break, for status lines. Texts of several threads do not mix.
  static func status(_ text: String) {
    if !writing.withLock({ _ in isWritten(text) }) { readerIsGone() }
  }

  /// - Returns: Whether a reader may be left.
  private static func isWritten(_ text: String) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return errno != EPIPE }
      bytes = bytes.dropFirst(written)
    }
    return true
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
