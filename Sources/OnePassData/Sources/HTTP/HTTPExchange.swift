import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// One request to a server and its answer, read by a thread that may wait.
///
/// The answer is taken from the network ahead of the reader, up to a fixed amount; then the server has to wait.
package final class HTTPExchange: Sendable {
  /// The beginning of an answer.
  package struct Head {
    package let status: Int
    let headers: HTTPHeaders

    package subscript(name: String) -> String? { headers.first(name: name) }
  }

  /// What became of the connection.
  package struct Broken: Error { package let detail: String }

  private let receiver: Receiver
  private let task: HTTPClient.Task<Void>

  /// Never shut down: it lives as long as the process, with the threads of NIO's own group.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(20)), decompression: .disabled)
    // Bytes have to be those of the file, and one connection does not carry two of them.
    configuration.httpVersion = .http1Only
    // Attempts are counted by whoever asks.
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(
      eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
  }()

  /// What a request asks for.
  package enum Method {
    case get
    case post([UInt8])
  }

  /// Sends a request.
  /// - Throws: `Broken` if the address cannot be asked.
  package init(
    _ address: HTTPAddress, _ method: Method = .get, headers: [(String, String)]
  ) throws(Broken) {
    var all = HTTPHeaders(headers)
    all.add(name: "User-Agent", value: "onepass")
    all.add(name: "Accept-Encoding", value: "identity")
    let receiver = Receiver()
    self.receiver = receiver
    do {
      let request =
        switch method {
        case .get: try HTTPClient.Request(url: address.url, method: .GET, headers: all)
        case .post(let body):
          try HTTPClient.Request(url: address.url, method: .POST, headers: all, body: .bytes(body))
        }
      task = Self.client.execute(request: request, delegate: receiver)
    } catch { throw Broken(detail: describe(error)) }
  }

  deinit { cancel() }

  /// The head of the answer, at latest after so many seconds.
  package func head(within seconds: Double) throws(Broken) -> Head { try receiver.head(within: seconds) }

  /// Takes as many bytes of the body as there are at once; 0 at its end.
  func read(into target: UnsafeMutableRawBufferPointer, within seconds: Double) throws(Broken) -> Int {
    try receiver.read(into: target, within: seconds)
  }

  /// The whole body, or about so many bytes of its beginning.
  package func body(atMost limit: Int, within seconds: Double) throws(Broken) -> [UInt8] {
    let part = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
    defer { part.deallocate() }
    var body: [UInt8] = []
    while body.count < limit {
      let count = try read(into: part, within: seconds)
      guard count > 0 else { break }
      body += part.prefix(count)
    }
    return body
  }

  /// Ends the exchange, whatever is still to come.
  func cancel() {
    receiver.abandon()
    task.cancel()
  }
}

/// What a failure of the client means.
private func describe(_ error: any Error) -> String {
  switch error {
  case let error as HTTPClientError where error == .connectTimeout: "the server could not be reached in time"
  case let error as HTTPClientError where error == .remoteConnectionClosed: "the server closed the connection"
  case let error as NIOConnectionError: "the server \(error.host) could not be reached"
  case let error as IOError: String(cString: strerror(error.errnoCode))
  // TLS tells it in no other way.
  case _ where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
    "the server's certificate is not trusted here"
  default: "the connection failed: \(error)"
  }
}

/// Takes an answer from an event loop and hands it to a thread.
///
/// `@unchecked Sendable` because every variable is touched only between `lock` and `unlock`.
private final class Receiver: HTTPClientResponseDelegate, @unchecked Sendable {
  private let condition = NSCondition()
  private var receivedHead: HTTPExchange.Head?
  private var parts: [ByteBuffer] = []
  private var bytes = 0
  /// Fulfilled when there is room again.
  private var room: EventLoopPromise<Void>?
  private var outcome: Result<Void, HTTPExchange.Broken>?
  private var isAbandoned = false

  /// What is taken from the network ahead of the reader.
  private static let limit = 4 << 20

  // MARK: On the event loop

  func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    condition.withLock {
      receivedHead = .init(status: Int(head.status.code), headers: head.headers)
      condition.broadcast()
    }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    condition.withLock {
      guard !isAbandoned else { return task.eventLoop.makeSucceededVoidFuture() }
      parts.append(buffer)
      bytes += buffer.readableBytes
      condition.broadcast()
      guard bytes >= Self.limit else { return task.eventLoop.makeSucceededVoidFuture() }
      let promise = task.eventLoop.makePromise(of: Void.self)
      room = promise
      return promise.futureResult
    }
  }

  func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
    finish(.failure(.init(detail: describe(error))))
  }

  func didFinishRequest(task: HTTPClient.Task<Void>) { finish(.success(())) }

  private func finish(_ result: Result<Void, HTTPExchange.Broken>) {
    condition.withLock {
      outcome = outcome ?? result
      condition.broadcast()
    }
  }

  // MARK: On the reader's thread

  func head(within seconds: Double) throws(HTTPExchange.Broken) -> HTTPExchange.Head {
    condition.lock()
    defer { condition.unlock() }
    let end = Date() + seconds
    while true {
      if let receivedHead { return receivedHead }
      if let outcome {
        try outcome.get()
        throw .init(detail: "the server closed the connection")
      }
      guard condition.wait(until: end) else {
        throw .init(detail: "the server was silent for \(Int(seconds)) s")
      }
    }
  }

  func read(
    into target: UnsafeMutableRawBufferPointer, within seconds: Double
  ) throws(HTTPExchange.Broken) -> Int {
    condition.lock()
    defer { condition.unlock() }
    let end = Date() + seconds
    while parts.isEmpty {
      if let outcome {
        try outcome.get()
        return 0
      }
      guard condition.wait(until: end) else { throw .init(detail: "no byte came for \(Int(seconds)) s") }
    }
    let count = parts[0].readWithUnsafeReadableBytes { source in
      let count = min(source.count, target.count)
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
      return count
    }
    if parts[0].readableBytes == 0 { parts.removeFirst() }
    bytes -= count
    if bytes < Self.limit / 2 { makeRoom() }
    return count
  }

  /// Lets go of what nobody will read.
  func abandon() {
    condition.withLock {
      isAbandoned = true
      parts = []
      bytes = 0
      makeRoom()
    }
  }

  private func makeRoom() {
    room?.succeed()
    room = nil
  }
}
