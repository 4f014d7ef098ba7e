import OnePassCore

// Weights that cannot be read, written or loaded.
extension OnePassError {
  static func cannotOpenWeights(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path): cannot be opened; check that it exists and is readable.", cause: cause)
  }

  static func cannotReadWeights(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path): cannot be read; check that it is a file and readable.", cause: cause)
  }

  static func cannotWriteWeights(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path): cannot be written; check that its folder exists and has free space.", cause: cause)
  }

  static func invalidSafetensors(_ path: String, _ defect: SafetensorsHeader.Defect) -> OnePassError {
    OnePassError(
      .badData, "\(path): not a valid safetensors file (\(defect.text)); download it or save it again.")
  }

  /// - Parameter misfit: The result of ``StateDictionary/misfit(of:)``.
  static func weightsDoNotFit(_ misfit: String) -> OnePassError {
    OnePassError(
      .badData,
      "The saved weights do not fit this model: they \(misfit); "
        + "use the model, classes and channels with which they were saved.")
  }
}

extension SafetensorsHeader {
  /// A violation of the safetensors format.
  struct Defect: Error, Equatable {
    let text: String

    private init(_ text: String) { self.text = text }

    static let invalidHeader = Defect("its header is not the JSON that the format defines")
    static let truncated = Defect("it ended while it was read")

    static func tooShort(bytes: Int) -> Defect { Defect("it has only \(bytes) bytes") }

    static func impossibleHeaderLength(_ length: UInt64) -> Defect {
      Defect("its first 8 bytes declare a header of \(length) bytes")
    }

    static func unexpectedEntry(_ name: String) -> Defect {
      Defect("the header entry \(name) is neither a tensor nor metadata")
    }

    static func gapOrOverlap(_ name: String) -> Defect {
      Defect("the tensor \(name) does not start at the end of the previous one")
    }

    static func wrongDataLength(described: Int, actual: Int) -> Defect {
      Defect("its header describes \(described) bytes of tensors, but \(actual) bytes follow it")
    }

    static func unsupportedType(_ name: String, type: String, supported: [String]) -> Defect {
      Defect("the tensor \(name) has the type \(type); supported types: \(supported.joined(separator: ", "))")
    }

    static func impossibleShape(_ name: String, _ shape: [Int]) -> Defect {
      Defect("the tensor \(name) has the impossible shape \(shape)")
    }

    static func wrongOffsets(_ name: String, size: Int, _ offsets: [Int]) -> Defect {
      Defect("the tensor \(name) of \(size) bytes has the offsets \(offsets)")
    }
  }
}
