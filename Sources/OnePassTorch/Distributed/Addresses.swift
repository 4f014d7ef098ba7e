import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A socket that is connected to a port of a host; for datagrams nothing is sent by that.
private func connectedSocket(to host: String, port: Int, forDatagrams: Bool) -> (
  descriptor: Int32?, failure: String
) {
  var hints = addrinfo()
  #if canImport(Glibc)
    hints.ai_socktype = Int32((forDatagrams ? SOCK_DGRAM : SOCK_STREAM).rawValue)
  #else
    hints.ai_socktype = forDatagrams ? SOCK_DGRAM : SOCK_STREAM
  #endif
  var found: UnsafeMutablePointer<addrinfo>?
  let status = getaddrinfo(host, "\(port)", &hints, &found)
  guard status == 0, let first = found else {
    return (nil, String(cString: gai_strerror(status)))
  }
  defer { freeaddrinfo(first) }
  var failure = ""
  for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
    let descriptor = socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { continue }
    if connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 { return (descriptor, "") }
    failure = String(cString: strerror(errno))
    close(descriptor)
  }
  return (nil, failure)
}

/// Waits until something answers at a port.
/// - Returns: What failed last, if nothing answers in time.
func waitForAnswer(from host: String, port: Int, within timeout: Duration) -> String? {
  let deadline = ContinuousClock.now + timeout
  // A look-up of a name and an attempt to connect can each take minutes.
  let result = outcome(within: timeout) { () -> String? in
    while true {
      let (descriptor, failure) = connectedSocket(to: host, port: port, forDatagrams: false)
      if let descriptor {
        close(descriptor)
        return nil
      }
      // So early that the failure is still heard.
      if ContinuousClock.now + .milliseconds(200) > deadline { return failure }
      Thread.sleep(forTimeInterval: 0.1)
    }
  }
  guard let result else { return "no answer" }
  return try? result.get()
}

/// The address of this machine from which it reaches `host`, as text; `nil` where there is none.
func localAddress(towards host: String) -> String? {
  guard let descriptor = connectedSocket(to: host, port: 9, forDatagrams: true).descriptor else { return nil }
  defer { close(descriptor) }
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  var name = [CChar](repeating: 0, count: 128)
  let isNamed = withUnsafeMutablePointer(to: &storage) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      getsockname(descriptor, $0, &length) == 0
        && getnameinfo($0, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
    }
  }
  return isNamed ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
}

/// Which way the other processes find this machine.
enum OwnAddress: Hashable {
  /// By these network interfaces.
  case interfaces([String])
  /// By this address.
  case address(String)
  /// By what the machine's own name resolves to.
  case ownName

  /// GLOO_SOCKET_IFNAME names interfaces, as for `torch.distributed`. Otherwise it is the address from which rank 0 is
  /// reached: on many machines the own name resolves to the loopback, which no other machine can reach. An address of
  /// the loopback only counts if rank 0 is named so, which means that all processes share this machine.
  init(variables: [String: String], masterAddress: String) {
    let named = (variables["GLOO_SOCKET_IFNAME"] ?? "").split(separator: ",").map(String.init)
    if !named.isEmpty {
      self = .interfaces(named)
    } else if let address = localAddress(towards: masterAddress),
      !Self.isLoopback(address) || Self.isLoopback(masterAddress)
    {
      self = .address(address)
    } else {
      self = .ownName
    }
  }

  private static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host.hasPrefix("127.") || host == "::1"
  }
}
