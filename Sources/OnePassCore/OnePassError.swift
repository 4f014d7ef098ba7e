/// A failure of the world that OnePass reports to its user as one sentence.
///
/// `message` says what was wrong, shows the value, and names the remedy; it is printed as it stands.
/// A caller's bug is a `precondition`, not an `OnePassError`.
///
/// ```swift
/// throw OnePassError(.badData, "The folder \(path) holds no class folders. Put the images of each class in a folder of their own.")
/// ```
public struct OnePassError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is; extensible, so that a client can add its own.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    /// The exit status of the command line for this kind, after BSD's `sysexits.h`.
    public let exitStatus: Int32

    public init(rawValue: String) { self.init(rawValue, exitStatus: 70) }

    public init(_ rawValue: String, exitStatus: Int32) {
      self.rawValue = rawValue
      self.exitStatus = exitStatus
    }

    public static func == (a: Code, b: Code) -> Bool { a.rawValue == b.rawValue }
    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

    /// The request cannot be carried out as it was put: an unknown name, an impossible value (64).
    public static let usage = Code("usage", exitStatus: 64)
    /// The data is not what it has to be: corrupt, empty, a label outside the classes (65).
    public static let badData = Code("badData", exitStatus: 65)
    /// A defect of this program or of the engine below it (70).
    public static let engine = Code("engine", exitStatus: 70)
    /// A file or a stream could not be opened, read or written (74).
    public static let io = Code("io", exitStatus: 74)
  }

  public let code: Code
  public let message: String
  /// What led to this failure, if another error did.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}
