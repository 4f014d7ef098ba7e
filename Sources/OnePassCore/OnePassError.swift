/// A failure that OnePass reports to the user, with a message and an exit status.
///
/// A message states the facts, the value and the remedy. It starts with the option or file concerned, gives the value, and ends
/// with a full stop. The remedy, where the facts do not imply it, follows a semicolon:
///
/// - `--limit must be at least 1 (got 0).`
/// - `--resume requires --output.`
/// - `photos.zip: an entry is too large after 12 images (3221225472 bytes, at most 1073741824 are allowed); remove it.`
///
/// The command line prints the message unchanged after `Error: ` and exits with the status of the code, as defined in BSD's
/// `sysexits.h`:
///
/// | Code | Exit status | Failure |
/// |---|---|---|
/// | ``Code/usage`` | 64 | An unknown name, an impossible value, or options that contradict each other. |
/// | ``Code/badData`` | 65 | Data that is corrupt, empty, or inconsistent with the options. |
/// | ``Code/unavailable`` | 69 | libtorch cannot be loaded. |
/// | ``Code/engine`` | 70 | An internal failure, training that diverged, failed cells of a grid, or too little memory. |
/// | ``Code/io`` | 74 | A file, stream, server or process that cannot be reached, read or written. |
/// | ``Code/temporary`` | 75 | Ranks that did not join in time. The same command can succeed later. |
///
/// A violated precondition of an API is a `precondition` failure, not a `OnePassError`.
///
/// ```swift
/// throw OnePassError(.badData, "\(path): contains no class folders; put the images of each class in a separate folder.")
/// ```
public struct OnePassError: Error, Sendable, CustomStringConvertible {
  /// The kind of a failure, which determines the exit status.
  ///
  /// Clients can define further codes.
  ///
  /// ```swift
  /// let noPermission = OnePassError.Code("noPermission", exitStatus: 77)
  /// throw OnePassError(noPermission, "camera 3: access denied; log in again.")
  /// ```
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The name of the code; two codes with the same name are equal.
    public let rawValue: String
    /// The exit status of the command line, after BSD's `sysexits.h`.
    public let exitStatus: Int32

    /// A code with exit status 70.
    public init(rawValue: String) { self.init(rawValue, exitStatus: 70) }

    /// A code with the given name and exit status.
    public init(_ rawValue: String, exitStatus: Int32) {
      self.rawValue = rawValue
      self.exitStatus = exitStatus
    }

    public static func == (a: Code, b: Code) -> Bool { a.rawValue == b.rawValue }
    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

    /// An invalid request: an unknown name or an impossible value. Exit status 64.
    public static let usage = Code("usage", exitStatus: 64)
    /// Invalid data: corrupt, empty, or with a label outside the classes. Exit status 65.
    public static let badData = Code("badData", exitStatus: 65)
    /// A part of the program that cannot be loaded. Exit status 69.
    public static let unavailable = Code("unavailable", exitStatus: 69)
    /// An internal failure, training that diverged, failed cells of a grid, or too little memory. Exit status 70.
    public static let engine = Code("engine", exitStatus: 70)
    /// A file, stream, server or process that cannot be reached, read or written. Exit status 74.
    public static let io = Code("io", exitStatus: 74)
    /// A condition that may end by itself, such as ranks that did not join in time. Exit status 75.
    public static let temporary = Code("temporary", exitStatus: 75)
  }

  /// The kind of failure.
  public let code: Code
  /// The text for the user: facts, value and remedy.
  public let message: String
  /// The underlying error, if any.
  public let cause: (any Error)?

  /// Creates an error from its code, its message and the underlying error.
  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}
