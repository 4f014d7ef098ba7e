/// How the threads of an operator wait for each other: how long they look for work before they sleep.
///
/// ```swift
/// print(Engine.threadWaiting.setting ?? "libtorch's default")
/// ```
public struct ThreadWaiting: Codable, Hashable, Sendable {
  /// What decided it.
  ///
  /// ```swift
  /// if Engine.threadWaiting.origin == .environment { print("as the user chose") }
  /// ```
  public enum Origin: String, Codable, Sendable {
    /// The program `onepass`, since the user set no variable.
    case onepass
    /// A variable of the user.
    case environment
    /// The OpenMP of libtorch: on macOS, and in programs that depend on OnePass.
    case libtorch
  }

  /// The environment variable that decides, such as `GOMP_SPINCOUNT=10000` or `OMP_WAIT_POLICY=passive`; `nil` if none does.
  public var setting: String?
  /// What decided it.
  public var origin: Origin
}
