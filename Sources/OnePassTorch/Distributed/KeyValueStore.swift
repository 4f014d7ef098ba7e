import CTorch
import Foundation
import OnePassCore

/// A key-value store shared by all processes, through which they connect to each other: c10d's TCPStore.
///
/// Rank 0 or the agent of torchrun serves it, and the others connect.
///
/// `@unchecked Sendable` because TCPStore serialises the requests on its connection.
final class KeyValueStore: @unchecked Sendable {
  let handle: OpaquePointer
  /// The host that serves the store.
  let address: String
  let port: Int

  private init(owning handle: OpaquePointer, address: String) {
    self.handle = handle
    self.address = address
    port = Int(ct_store_port(handle))
  }

  /// Serves the store on this machine, or connects to the one at `address`.
  /// - Parameters:
  ///   - timeout: The maximum time to establish the connection.
  ///   - notices: Reports what is missing in the meantime.
  /// - Throws: `OnePassError`: `temporary` if the store cannot be reached in time; `io` if the port is in use, or belongs to
  ///   another service.
  static func open(
    address: String, port: Int, serves: Bool, timeout: Duration,
    notices: WaitingNotices = WaitingNotices { _ in }
  ) throws -> KeyValueStore {
    let deadline = ContinuousClock.now + timeout
    let rank0 = "rank 0 at \(endpoint(address, port))"
    while true {
      try wait(for: address, port, serves: serves, within: timeout, until: deadline, notices)
      // c10d retries for longer than its timeout.
      let rest = max(.seconds(1), min(longestHandshake, deadline - .now))
      let opened = outcome(
        within: rest, meanwhile: { notices.update(rank0, "no answer") },
        of: { try connect(to: address, port, serves: serves, within: rest) })
      switch opened {
      case .success(let store): return store
      case .failure(let error as OnePassError) where !(error.cause is CommunicationFailure): throw error
      case .failure(let error):
        if serves {
          throw OnePassError.portUnavailable(address, port, "\((error as? OnePassError)?.cause ?? error)")
        }
      case nil: if serves { throw OnePassError.portUnavailable(address, port, "no answer") }
      }
      // A proxy can accept connections before rank 0 has started.
      guard ContinuousClock.now + .seconds(1) < deadline else {
        throw OnePassError.notTheStore(address, port)
      }
      notices.update(rank0, "another service answers")
      Thread.sleep(forTimeInterval: 0.5)
    }
  }

  /// The maximum time in which a store answers once it has accepted the connection.
  private static let longestHandshake = Duration.seconds(30)

  /// Waits until the store accepts connections, or for the process that serves it, until its own name has an address.
  private static func wait(
    for address: String, _ port: Int, serves: Bool, within timeout: Duration,
    until deadline: ContinuousClock.Instant, _ notices: WaitingNotices
  ) throws {
    let rest = max(.zero, deadline - .now)
    do {
      if serves {
        try waitForName(address, within: rest) { notices.update("the address of \(address)", $0.reason) }
      } else {
        try waitForAnswer(from: address, port: port, within: rest) {
          notices.update("rank 0 at \(endpoint(address, port))", $0.reason)
        }
      }
    } catch let failure as Unreachable {
      throw OnePassError.rank0Unreachable(address, port, within: timeout, failure)
    }
  }

  private static func connect(
    to address: String, _ port: Int, serves: Bool, within timeout: Duration
  ) throws -> KeyValueStore {
    var made: OpaquePointer?
    // c10d alone would listen on every interface, and its store has no authentication.
    let listener = serves ? try boundSocket(of: address, port: port) : nil
    try check(
      "KeyValueStore.open",
      ct_store_open(
        address, Int32(listener?.port ?? port), serves, listener?.descriptor ?? -1,
        timeout.wholeMilliseconds, &made))
    guard let made else { throw OnePassError.libtorchReturnedNothing("KeyValueStore.open") }
    return KeyValueStore(owning: made, address: address)
  }

  deinit { ct_store_free(handle) }

  func set(_ key: String, to value: String) throws {
    let bytes = Array(value.utf8)
    try perform("KeyValueStore.set") { ct_store_set(handle, key, bytes, Int64(bytes.count)) }
  }

  /// Waits for the key to be set and returns its value.
  /// - Throws: `OnePassError` (`io`) if it is not set in time, or the store is lost.
  func get(_ key: String, within timeout: Duration) throws -> String {
    try text("KeyValueStore.get") { ct_store_get(handle, key, max(1, timeout.wholeMilliseconds), $0, $1) }
  }

  func has(_ key: String) throws -> Bool {
    var result = false
    try perform("KeyValueStore.has") { ct_store_has(handle, key, &result) }
    return result
  }

  /// Adds to the number under the key, which is initially 0.
  /// - Returns: The sum.
  @discardableResult
  func add(_ amount: Int, to key: String) throws -> Int {
    var sum: Int64 = 0
    try perform("KeyValueStore.add") { ct_store_add(handle, key, Int64(amount), &sum) }
    return Int(sum)
  }

  /// Sets the key if its value is `expected`, or if it is not set and `expected` is empty.
  /// - Returns: The value of the key after the call.
  func compareAndSet(_ key: String, expected: String, desired: String) throws -> String {
    let (old, new) = (Array(expected.utf8), Array(desired.utf8))
    return try text("KeyValueStore.compareAndSet") {
      ct_store_compare_and_set(handle, key, old, Int64(old.count), new, Int64(new.count), $0, $1)
    }
  }

  /// Waits until `count` processes have reached the barrier `name`, which can be used once.
  func barrier(_ name: String, count: Int, within timeout: Duration) throws {
    if try add(1, to: "\(name)/arrived") == count { try set("\(name)/open", to: "") }
    _ = try get("\(name)/open", within: timeout)
  }

  private func text(
    _ operation: StaticString,
    _ call: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int64>) ->
      OpaquePointer?
  ) throws -> String {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count: Int64 = 0
    try perform(operation) { call(&bytes, &count) }
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
