import CBrokers
import Foundation
import OnePassCore

/// A message in the memory of nats.c.
struct NATSMessage: ~Copyable {
  private let library: UnsafePointer<CBNATS>
  private let pointer: UnsafeMutableRawPointer

  init(_ pointer: UnsafeMutableRawPointer, _ library: UnsafePointer<CBNATS>) {
    (self.pointer, self.library) = (pointer, library)
  }

  deinit { library.pointee.natsMsg_Destroy(pointer) }

  /// Where a message of a stream comes from; `nil` for other messages.
  var subject: DeliverySubject? { library.pointee.natsMsg_GetReply(pointer).flatMap { DeliverySubject($0) } }

  var body: [UInt8] {
    let count = Int(library.pointee.natsMsg_GetDataLength(pointer))
    return library.pointee.natsMsg_GetData(pointer).map { start in
      start.withMemoryRebound(to: UInt8.self, capacity: count) {
        Array(UnsafeBufferPointer(start: $0, count: count))
      }
    } ?? []
  }

  /// Whether the server reports that nothing receives a message that was sent.
  var isNoResponders: Bool { header("Status") == "503" }

  func header(_ name: String) -> String? {
    var value: UnsafePointer<CChar>?
    guard Int(library.pointee.natsMsgHeader_Get(pointer, name, &value)) == cb_nats_ok else { return nil }
    return value.map { String(cString: $0) }
  }

  /// All headers by name, since the library does not keep their order. Those of the same name keep theirs.
  func headers() -> [(name: String, value: [UInt8])] {
    var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    var count: Int32 = 0
    guard Int(library.pointee.natsMsgHeader_Keys(pointer, &names, &count)) == cb_nats_ok, let names else {
      return []
    }
    defer { free(names) }
    let sorted = UnsafeBufferPointer(start: names, count: Int(count)).compactMap {
      $0.map { String(cString: $0) }
    }
    .sorted()
    var headers: [(name: String, value: [UInt8])] = []
    for name in sorted {
      for value in values(of: name) { headers.append((name: name, value: value)) }
    }
    return headers
  }

  private func values(of name: String) -> [[UInt8]] {
    var values: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    var count: Int32 = 0
    guard Int(library.pointee.natsMsgHeader_Values(pointer, name, &values, &count)) == cb_nats_ok, let values
    else { return [] }
    defer { free(values) }
    return UnsafeBufferPointer(start: values, count: Int(count)).compactMap { value in
      value.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
  }
}
