import CBrokers
import Foundation
import OnePassCore

/// The options of a connection, in the memory of the library.
final class NATSOptions {
  let pointer: UnsafeMutableRawPointer
  private let library: UnsafePointer<CBNATS>

  init(
    _ library: UnsafePointer<CBNATS>, _ address: BrokerAddress, _ properties: ConnectionProperties,
    name: String
  ) throws {
    self.library = library
    var options: UnsafeMutableRawPointer?
    _ = library.pointee.natsOptions_Create(&options)
    guard let options else { throw OnePassError.brokerFailed(address, reason: "out of memory") }
    pointer = options
    let functions = library.pointee
    try setServers(address)
    _ = functions.natsOptions_SetName(options, name)
    _ = functions.natsOptions_SetTimeout(options, 5_000)
    _ = functions.natsOptions_SetAllowReconnect(options, false)
    // The library would close the connection on its timer's thread, without waiting for the thread that reads.
    _ = functions.natsOptions_SetPingInterval(options, 0)
    if let user = properties.user {
      _ = functions.natsOptions_SetUserInfo(options, user, properties.password ?? "")
    }
    if let file = properties.others["credentials"] {
      // The file is read when the server requires it. A missing one would be reported as a refusal.
      try check("credentials", file, functions.natsOptions_SetUserCredentialsFromFiles(options, file, nil))
    }
    if address.isSecure { try setCertificates(address, properties) }
  }

  deinit { library.pointee.natsOptions_Destroy(pointer) }

  private func setServers(_ address: BrokerAddress) throws {
    let servers = address.servers.map { strdup("\(address.isSecure ? "tls" : "nats")://\($0.text)") }
    defer { for server in servers { free(server) } }
    let pointers: [UnsafePointer<CChar>?] = servers.map { $0.map { UnsafePointer($0) } }
    let status = library.pointee.natsOptions_SetServers(pointer, pointers, Int32(pointers.count))
    if Int(status) != cb_nats_ok { throw OnePassError.isNoBroker(address.description) }
  }

  private func setCertificates(_ address: BrokerAddress, _ properties: ConnectionProperties) throws {
    let functions = library.pointee
    _ = functions.natsOptions_SetSecure(pointer, true)
    if let ca = properties.ca {
      try check("ca", ca, functions.natsOptions_LoadCATrustedCertificates(pointer, ca))
    }
    if let certificate = properties.certificate, let key = properties.key {
      try check(
        "certificate", certificate, functions.natsOptions_LoadCertificatesChain(pointer, certificate, key))
    }
  }

  private func check(_ name: String, _ file: String, _ status: Int32) throws {
    guard access(file, R_OK) == 0 else {
      throw OnePassError.invalidBrokerProperty(name, reason: "\(file) cannot be read")
    }
    guard Int(status) == cb_nats_ok else {
      let words = library.pointee.nats_GetLastError(nil).map { String(cString: $0) } ?? "invalid"
      throw OnePassError.invalidBrokerProperty(name, reason: words)
    }
  }
}
