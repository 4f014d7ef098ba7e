import OnePassCore
import OnePassExperiments
import OnePassTorch

extension Format {
  func readSafetensors(_ bytes: [UInt8], in folder: WorkFolder) throws {
    let path = try folder.write(bytes, to: "model.safetensors")
    _ = try StateDictionary.metadata(safetensors: path)
    _ = try StateDictionary(safetensors: path)
  }

  /// Whatever people write as YAML.
  func readYAML(_ bytes: [UInt8]) throws {
    _ = try GridDescription(text: String(decoding: bytes, as: UTF8.self), source: "grid.yaml")
  }
}
