import Synchronization

/// Values that take long to make, made once for all tests that want them, each by its key.
public final class Shared<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private final class Place: Sendable {
    let value = Mutex<Value?>(nil)
  }

  private let places = Mutex<[Key: Place]>([:])

  public init() {}

  /// The value of a key. Who comes while it is made waits for it; where making it fails the next one tries again.
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
