import CTorch
import OnePassCore

/// The keys and values that all processes see, at which they meet before they are connected: c10d's TCPStore.
///
/// One process serves it, or torchrun's agent; the others connect. A key is written and read by whoever knows its name.
///
/// Sendable because TCPStore lets one request at a time use the connection.
final class KeyValueStore: @unchecked Sendable {
  let handle: OpaquePointer
  /// Where it is served.
  let address: String
  let port: Int

  private init(owning handle: OpaquePointer, address: String) {
    self.handle = handle
    self.address = address
    port = Int(ct_store_port(handle))
  }

  /// Serves the store on this machine, or connects to the one at `address`.
  /// - Parameter timeout: How long the connection is tried.
  /// - Throws: `OnePassError` (`io`) if the port is taken, or nothing answers there.
  static func open(address: String, port: Int, serves: Bool, timeout: Duration) throws -> KeyValueStore {
    let deadline = ContinuousClock.now + timeout
    // c10d's own attempts go on for longer than it is told.
    if !serves, let failure = waitForAnswer(from: address, port: port, within: timeout) {
      throw OnePassError(
        .io,
        "Rank 0 cannot be reached at \(address), port \(port), within \(timeout.inSeconds) (\(failure)): see that it "
          + "runs, and that MASTER_ADDR and MASTER_PORT name its machine and a port that no firewall closes.")
    }
    let rest = max(.seconds(1), deadline - .now)
    let opened = outcome(within: rest) {
      var made: OpaquePointer?
      try check("the store", ct_store_open(address, Int32(port), serves, rest.wholeMilliseconds, &made))
      guard let made else { throw OnePassError(.engine, "libtorch made no store.") }
      return KeyValueStore(owning: made, address: address)
    }
    switch opened {
    case .success(let store): return store
    case .failure(let error as OnePassError) where !(error.cause is CommunicationFailure): throw error
    case .failure, nil:
      throw OnePassError(
        .io,
        serves
          ? "The port \(port) cannot be served by rank 0 on this machine: another run may use it; give this one another "
            + "MASTER_PORT."
          : "What answers at \(address), port \(port), is not rank 0 of this run: give the run another MASTER_PORT."
      )
    }
  }

  deinit { ct_store_free(handle) }

  func set(_ key: String, to value: String) throws {
    let bytes = Array(value.utf8)
    try perform("a request to the store") { ct_store_set(handle, key, bytes, Int64(bytes.count)) }
  }

  /// The value of the key, once it has one.
  /// - Throws: `OnePassError` (`io`) if it has none when the time is over, or the store is gone.
  func get(_ key: String, within timeout: Duration) throws -> String {
    try text { ct_store_get(handle, key, max(1, timeout.wholeMilliseconds), $0, $1) }
  }

  func has(_ key: String) throws -> Bool {
    var result = false
    try perform("a request to the store") { ct_store_has(handle, key, &result) }
    return result
  }

  /// Adds to the number under the key, which begins at 0.
  /// - Returns: The sum.
  @discardableResult
  func add(_ amount: Int, to key: String) throws -> Int {
    var sum: Int64 = 0
    try perform("a request to the store") { ct_store_add(handle, key, Int64(amount), &sum) }
    return Int(sum)
  }

  /// Sets the key if it holds `expected`; with an empty `expected` also if it is absent.
  /// - Returns: What the key holds now.
  func compareAndSet(_ key: String, expected: String, desired: String) throws -> String {
    let (old, new) = (Array(expected.utf8), Array(desired.utf8))
    return try text {
      ct_store_compare_and_set(handle, key, old, Int64(old.count), new, Int64(new.count), $0, $1)
    }
  }

  /// Waits until `count` processes have come to the barrier of this name, which is used once.
  func barrier(_ name: String, count: Int, within timeout: Duration) throws {
    if try add(1, to: "\(name)/arrived") == count { try set("\(name)/open", to: "") }
    _ = try get("\(name)/open", within: timeout)
  }

  private func text(
    _ call: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int64>) ->
      OpaquePointer?
  ) throws -> String {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count: Int64 = 0
    try perform("a request to the store") { call(&bytes, &count) }
    defer { ct_bytes_free(bytes) }
    return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
  }
}

extension Duration {
  var wholeMilliseconds: Int64 { Int64(self / .milliseconds(1)) }

  /// `10 s`, `0.5 s`.
  var inSeconds: String {
    let seconds = self / .seconds(1)
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
  }
}

extension String {
  var firstLine: String { String(prefix { !$0.isNewline }) }
}
