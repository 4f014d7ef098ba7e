import Synchronization

/// Expensive values that are created once for all tests, by key.
public final class Shared<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private final class Place: Sendable {
    let value = Mutex<Value?>(nil)
  }

  private let places = Mutex<[Key: Place]>([:])

  public init() {}

  /// Returns the value of a key, and creates it if necessary. Concurrent callers wait. After a failure, the next caller tries again.
  public func value(for key: Key, make: () throws -> Value) throws -> Value {
    let place = places.withLock { places in
      let place = places[key] ?? Place()
      places[key] = place
      return place
    }
    return try place.value.withLock { value in
      if let value { return value }
      let made = try make()
      value = made
      return made
    }
  }
}
