import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OnePass
import OnePassCore
import OnePassService

/// The Open Inference Protocol v2, with its extension for binary tensors.
enum InferenceRoutes {
  static let all = [
    Route("/v2/health/live", nil, [.get: { _ in .json(["live": true]) }]),
    Route("/v2/health/ready", nil, [.get: { ready($0, "ready") }]),
    Route("/v2", .predict, [.get: { _ in .json(Server()) }]),
    Route("/v2/models/{name}", .predict, [.get: { .json(Model(try service($0))) }]),
    Route("/v2/models/{name}/ready", .predict, [.get: { ready($0, "ready", service: try service($0)) }]),
    Route("/v2/models/{name}/infer", .predict, [.post: { try await infer($0) }]),
    // Clients that name a version; there is one.
    Route("/v2/models/{name}/versions/1", .predict, [.get: { .json(Model(try service($0))) }]),
    Route(
      "/v2/models/{name}/versions/1/ready", .predict, [.get: { ready($0, "ready", service: try service($0)) }]
    ),
    Route("/v2/models/{name}/versions/1/infer", .predict, [.post: { try await infer($0) }]),
  ]

  private static func service(_ exchange: Exchange) throws -> Service {
    guard exchange.parameter == exchange.service.options.name else {
      throw Problem.notFound("The model of this service is \(exchange.service.options.name).")
    }
    return exchange.service
  }

  // A JSON body, because kserve's client parses it.
  private static func ready(_ exchange: Exchange, _ name: String, service: Service? = nil) -> Response {
    let isReady = exchange.service.isReady
    return .json([name: isReady], status: isReady ? .ok : .serviceUnavailable)
  }

  private struct Server: Encodable {
    let name = "onepass"
    let version = onePassVersion
    let extensions = ["binary_tensor_data"]
  }

  private struct Model: Encodable {
    struct Tensor: Encodable {
      let name: String
      let datatype: String
      let shape: [Int]
    }

    let name: String
    let versions = ["1"]
    let platform = "onepass"
    let inputs = [
      Tensor(name: "image", datatype: "BYTES", shape: [-1]),
      Tensor(name: "pixels", datatype: "UINT8", shape: [-1, -1, -1, 3]),
    ]
    let outputs: [Tensor]

    init(_ service: Service) {
      name = service.options.name
      outputs = [
        Tensor(name: "probabilities", datatype: "FP32", shape: [-1, service.classes.count]),
        Tensor(name: "label", datatype: "INT64", shape: [-1]),
      ]
    }
  }

  // MARK: Inference

  private static func infer(_ exchange: Exchange) async throws -> Response {
    let service = try service(exchange)
    let request = try InferenceRequest(
      try await exchange.body(), jsonBytes: exchange.header("Inference-Header-Content-Length"))
    for image in request.images where image.encoding == .file { try exchange.images.check(image.bytes) }
    let answers = try await withThrowingTaskGroup(of: (Int, PredictionQueue.Answer).self) { group in
      for (index, image) in request.images.enumerated() {
        group.addTask { (index, try await service.predict(image)) }
      }
      var answers = [PredictionQueue.Answer?](repeating: nil, count: request.images.count)
      for try await (index, answer) in group { answers[index] = answer }
      return answers.compactMap(\.self)
    }
    // Between two answers an open class may have been added, which the weights of the first did not know.
    let classes = answers.map(\.classes.count).max() ?? 0
    return try InferenceResponse(request, answers, model: service.options.name, classes: classes).response
  }
}

/// A request for inference.
struct InferenceRequest {
  let id: String?
  let images: [EncodedImage]
  /// The outputs that were requested, and whether each is binary; all without a request.
  let outputs: [(name: String, isBinary: Bool)]

  private struct Body: Decodable {
    struct Parameters: Decodable {
      var binaryDataSize: Int?
      var binaryData: Bool?
      var binaryDataOutput: Bool?

      private enum CodingKeys: String, CodingKey {
        case binaryDataSize = "binary_data_size"
        case binaryData = "binary_data"
        case binaryDataOutput = "binary_data_output"
      }
    }

    struct Input: Decodable {
      let name: String
      let shape: [Int]
      let datatype: String
      var parameters: Parameters?
      var data: JSONTensor?
    }

    struct Output: Decodable {
      let name: String
      var parameters: Parameters?
    }

    var id: String?
    let inputs: [Input]
    var outputs: [Output]?
    var parameters: Parameters?
  }

  static let outputNames = ["probabilities", "label"]
  private static let mostImages = 1_024

  /// - Parameter jsonBytes: The header with the length of the JSON part; `nil` if there are no binary tensors.
  /// - Throws: ``Problem``.
  init(_ bytes: [UInt8], jsonBytes: String?) throws {
    let length = try jsonBytes.map { text in
      guard let length = Int(text), (0...bytes.count).contains(length) else {
        throw Problem.badRequest(
          "Inference-Header-Content-Length must be the length of the JSON part (got \(text.prefix(20))).")
      }
      return length
    }
    let body: Body
    do { body = try JSONDecoder().decode(Body.self, from: Data(bytes[..<(length ?? bytes.count)])) } catch {
      throw Problem.badRequest("The body is not an inference request of the Open Inference Protocol v2.")
    }
    guard body.inputs.count == 1, let input = body.inputs.first else {
      throw Problem.badRequest(
        "An inference request must have one input, image or pixels (got \(body.inputs.count)).")
    }
    id = body.id
    let binary = length.map { bytes[$0...] }
    images = try Self.images(input, binary)
    let isBinary = body.parameters?.binaryDataOutput ?? false
    outputs = try (body.outputs ?? Self.outputNames.map { Body.Output(name: $0) }).map { output in
      guard Self.outputNames.contains(output.name) else {
        throw Problem.badRequest(
          "There is no output \(output.name.prefix(50)); there are probabilities and label.")
      }
      return (output.name, output.parameters?.binaryData ?? isBinary)
    }
  }

  private static func images(_ input: Body.Input, _ binary: ArraySlice<UInt8>?) throws -> [EncodedImage] {
    guard input.shape.allSatisfy({ (0...1 << 20).contains($0) }) else {
      throw Problem.badRequest("The shape \(input.shape) has a side outside of 0 to \(1 << 20).")
    }
    var raw: ArraySlice<UInt8>?
    if let size = input.parameters?.binaryDataSize {
      guard let binary, size == binary.count else {
        throw Problem.badRequest(
          "binary_data_size must be the length of the binary part (got \(size), which has \(binary?.count ?? 0))."
        )
      }
      raw = binary
    }
    switch (input.name, input.datatype) {
    case ("image", "BYTES"): return try files(input, raw)
    case ("pixels", "UINT8"): return try pixels(input, raw)
    default:
      throw Problem.badRequest(
        "The input must be image of type BYTES or pixels of type UINT8 (got \(input.name.prefix(50)) of type \(input.datatype.prefix(20)))."
      )
    }
  }

  /// Image files: base64 in JSON; in binary form each after its length in 4 bytes, little-endian.
  private static func files(_ input: Body.Input, _ raw: ArraySlice<UInt8>?) throws -> [EncodedImage] {
    var files: [[UInt8]] = []
    if var rest = raw {
      while !rest.isEmpty {
        let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard rest.count >= 4 + count else {
          throw Problem.badRequest("The binary tensor ends within an element.")
        }
        files.append(Array(rest.dropFirst(4).prefix(count)))
        rest = rest.dropFirst(4 + count)
      }
    } else {
      files = try (input.data?.texts ?? []).map {
        guard let data = Data(base64Encoded: $0) else {
          throw Problem.badRequest("The elements of image must be base64.")
        }
        return Array(data)
      }
    }
    let count = input.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard files.count == count, (1...mostImages).contains(count) else {
      throw Problem.badRequest(
        "The shape \(input.shape) must be that of the data, with 1 to \(mostImages) images (got \(files.count))."
      )
    }
    return files.map { EncodedImage(bytes: $0) }
  }

  /// Pixels `[N, height, width, channels]` or `[height, width, channels]`, with 1 or 3 channels.
  private static func pixels(_ input: Body.Input, _ raw: ArraySlice<UInt8>?) throws -> [EncodedImage] {
    let shape = input.shape.count == 3 ? [1] + input.shape : input.shape
    let values =
      try raw.map { Array($0) }
      ?? (input.data?.numbers ?? []).map { number in
        guard let level = UInt8(exactly: number) else { throw Problem.badRequest("Pixels must be 0 to 255.") }
        return level
      }
    guard shape.count == 4, [1, 3].contains(shape[3]), (1...mostImages).contains(shape[0]),
      shape[1] > 0, shape[2] > 0, shape[1] <= 1 << 16, shape[2] <= 1 << 16
    else {
      throw Problem.badRequest("pixels must have the shape [N, height, width, 1 or 3] (got \(input.shape)).")
    }
    let size = shape[1] * shape[2] * shape[3]
    guard values.count == shape[0] * size else {
      throw Problem.badRequest(
        "The shape \(input.shape) must be that of the data (got \(values.count) values).")
    }
    return (0..<shape[0]).map { index in
      EncodedImage(
        bytes: Array(values[index * size..<(index + 1) * size]),
        encoding: .pixels(width: shape[2], height: shape[1], channels: shape[3]))
    }
  }
}

/// The data of a tensor in JSON, flattened.
struct JSONTensor: Decodable {
  private(set) var texts: [String] = []
  private(set) var numbers: [Double] = []

  init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    while !list.isAtEnd {
      if let text = try? list.decode(String.self) {
        texts.append(text)
      } else if let number = try? list.decode(Double.self) {
        numbers.append(number)
      } else {
        let inner = try list.decode(JSONTensor.self)
        texts += inner.texts
        numbers += inner.numbers
      }
    }
  }
}

/// The answer to a request for inference.
struct InferenceResponse {
  private struct Body: Encodable {
    struct Output: Encodable {
      let name: String
      let datatype: String
      let shape: [Int]
      var parameters: [String: Int]?
      var data: [Double]?
    }

    let modelName: String
    let modelVersion = "1"
    let id: String?
    let parameters: [String: Int]
    var outputs: [Output] = []

    private enum CodingKeys: String, CodingKey {
      case modelName = "model_name"
      case modelVersion = "model_version"
      case id, parameters, outputs
    }
  }

  let response: Response

  init(_ request: InferenceRequest, _ answers: [PredictionQueue.Answer], model: String, classes: Int) throws {
    var body = Body(modelName: model, id: request.id, parameters: ["weights_step": answers.first?.step ?? 0])
    var binary: [UInt8] = []
    for (name, isBinary) in request.outputs {
      let isLabel = name == "label"
      let values =
        isLabel
        ? answers.map { Double($0.classes[0].label) } : answers.flatMap { Self.probabilities($0, classes) }
      var output = Body.Output(
        name: name, datatype: isLabel ? "INT64" : "FP32",
        shape: isLabel ? [answers.count] : [answers.count, classes])
      if isBinary {
        let start = binary.count
        for value in values {
          if isLabel {
            withUnsafeBytes(of: Int64(value).littleEndian) { binary += $0 }
          } else {
            withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { binary += $0 }
          }
        }
        output.parameters = ["binary_data_size": binary.count - start]
      } else {
        output.data = values
      }
      body.outputs.append(output)
    }
    let json = try ServiceReport.json(body)
    guard request.outputs.contains(where: \.isBinary) else {
      response = .bytes(Array(json), type: "application/json")
      return
    }
    var answer = Response.bytes(Array(json) + binary, type: "application/octet-stream")
    if let name = HTTPField.Name("Inference-Header-Content-Length") { answer.headers[name] = "\(json.count)" }
    response = answer
  }

  private static func probabilities(_ answer: PredictionQueue.Answer, _ classes: Int) -> [Double] {
    var values = [Double](repeating: 0, count: classes)
    for known in answer.classes { values[known.label] = known.probability }
    return values
  }
}
