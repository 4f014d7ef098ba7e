import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import OnePassCore
import OnePassService
import ServiceLifecycle
import UnixSignals

/// The process of `onepass serve`: HTTP over a ``Service``.
package struct HTTPService: Sendable {
  private let service: OnePassService.Service
  private let options: ServiceOptions
  private let dispatcher: Dispatcher
  private let server: HTTPServerBuilder
  private let logger: Logger

  /// The time for a checkpoint and for requests in progress after SIGTERM, in seconds.
  package static let drainSeconds = 25

  /// Reads tokens and certificate, before anything is started.
  /// - Throws: `OnePassError`: `usage` or `io` if they cannot be used.
  package init(_ service: OnePassService.Service, _ options: ServiceOptions, logger: Logger) throws {
    (self.service, self.options, self.logger) = (service, options, logger)
    let counts = RequestCounts()
    let routes =
      LearnRoutes.all + PredictRoutes.all + ManageRoutes.all + InferenceRoutes.all
      + SeeRoutes(
        metrics: Metrics(requests: counts), page: Page(),
        streams: EventStreams(connections: options.connections)
      ).all
    dispatcher = Dispatcher(
      routes: routes, access: Access(tokens: try options.tokens.map { try Tokens(file: $0) }),
      service: service,
      images: ImageCheck(pixels: options.pixels), counts: counts)
    let http = HTTPServerBuilder.http1(
      configuration: .init(
        additionalChannelHandlers: [ContinueHandler(limit: options.bodyBytes)],
        idleTimeout: .milliseconds(Int64(options.idleSeconds * 1_000)),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
    server = try Self.tls(options).map { try .tls(http, tlsConfiguration: $0) } ?? http
  }

  private static func tls(_ options: ServiceOptions) throws -> TLSConfiguration? {
    guard let certificate = options.certificate, let key = options.key else { return nil }
    for path in [certificate, key] where !FileManager.default.isReadableFile(atPath: path) {
      throw OnePassError(.io, "\(path): cannot be read; check the path and the permissions.")
    }
    do {
      let configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
      _ = try NIOSSLContext(configuration: configuration)
      return configuration
    } catch {
      throw OnePassError(
        .usage, "\(certificate), \(key): are not a certificate chain and its key, in PEM (\(error)).",
        cause: error)
    }
  }

  /// Serves until SIGTERM or SIGINT, then saves the run.
  /// - Throws: `OnePassError` (`io`) if the address cannot be used.
  package func run() async throws {
    // Hummingbird announces the address too.
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .notice)
    let application = Application(
      responder: dispatcher, server: server,
      configuration: ApplicationConfiguration(
        address: .hostname(options.host, port: options.port),
        availableConnectionsDelegate: .maximum(options.connections, logger: logger)),
      onServerRunning: { channel in announce(channel.localAddress?.port) }, logger: quiet)
    var configuration = ServiceGroupConfiguration(
      services: [
        .init(service: LearningService(service: service, logger: logger)), .init(service: application),
      ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(Self.drainSeconds + 5)
    do { try await ServiceGroup(configuration: configuration).run() } catch let error as IOError {
      throw OnePassError(
        .io,
        "\(options.host):\(options.port): the service cannot listen there (\(error)); stop what uses the port, or set another one.",
        cause: error)
    }
  }

  private func announce(_ port: Int?) {
    let scheme = options.certificate == nil ? "http" : "https"
    let host = options.host.contains(":") ? "[\(options.host)]" : options.host
    logger.info("listening on \(scheme)://\(host):\(port ?? options.port)")
  }
}

/// Trains while the process runs, and saves the run at its end.
private struct LearningService: ServiceLifecycle.Service {
  let service: OnePassService.Service
  let logger: Logger

  func run() async throws {
    service.start()
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      service.tick()
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
    }
    let isSaved = await service.drain(seconds: Double(HTTPService.drainSeconds))
    logger.info(
      isSaved ? "saved" : "not saved in time; the last checkpoint and the accepted examples are on disk")
  }
}
