import Foundation

/// Programs in PATH that tests start if they are installed.
public enum Executables {
  /// The path of a program, or `nil`.
  public static func path(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return (folders + ["/usr/sbin", "/usr/lib/rabbitmq/bin"]).map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  public static func has(_ name: String) -> Bool { path(name) != nil }

  /// The reason of a test that is skipped without a program.
  public static func reason(_ name: String) -> String {
    "\(name) is not installed; scripts/brokers installs it."
  }
}

/// A server that a test starts, which ends with the test or with its process.
public final class TestServer {
  private let path: String
  private let arguments: [String]
  private let environment: [String: String]
  private var process: pid_t?
  private var life: Int32 = -1

  public struct Failure: Error { let words: String }

  /// Starts a server.
  public init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    (self.path, self.arguments, self.environment) = (path, arguments, environment)
    try start()
  }

  deinit { stop() }

  /// Starts it again.
  public func start() throws {
    // The shell ends the server at the end of its standard input, which the end of this process closes too. A first line is the
    // signal to end it with.
    let script = """
      "$@" >/dev/null 2>&1 </dev/null &
      server=$!
      read -r signal
      kill -"${signal:-KILL}" "$server" 2>/dev/null
      wait "$server" 2>/dev/null
      """
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failure(words: "There is no pipe.") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let words = (["/bin/sh", "-c", script, "sh", path] + arguments).map { strdup($0) } + [nil]
    let names = variables.map { strdup($0) } + [nil]
    defer { for word in words + names { free(word) } }
    #if canImport(Glibc)
      var actions = posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    // Threads of tests block signals, and a shell waits for its children by a signal.
    #if canImport(Glibc)
      var attributes = posix_spawnattr_t()
    #else
      var attributes: posix_spawnattr_t?
    #endif
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var child = pid_t()
    let status = posix_spawn(&child, "/bin/sh", &actions, &attributes, words, names)
    posix_spawnattr_destroy(&attributes)
    posix_spawn_file_actions_destroy(&actions)
    close(ends[0])
    guard status == 0 else { throw Failure(words: "/bin/sh cannot be started.") }
    (process, life) = (child, ends[1])
  }

  /// Ends it, and waits for its end.
  /// - Parameter signal: `KILL`, or `TERM` for an end in order.
  public func stop(_ signal: String = "KILL") {
    guard let process else { return }
    _ = "\(signal)\n".withCString { write(life, $0, strlen($0)) }
    close(life)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    self.process = nil
  }
}
