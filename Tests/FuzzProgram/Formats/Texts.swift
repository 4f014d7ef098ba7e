import OnePass
import OnePassCore
import OnePassExperiments
import OnePassTorch

extension Format {
  func readSafetensors(_ bytes: [UInt8], in folder: WorkFolder) throws {
    let path = try folder.write(bytes, to: "model.safetensors")
    _ = try StateDictionary.metadata(safetensors: path)
    _ = try StateDictionary(safetensors: path)
  }

  /// Reads YAML as the options of a run, here with any keys, and as a grid.
  func readYAML(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    do {
      _ = try ConfigurationFile(text: text, source: "run.yaml") { _ in RunConfiguration(data: "fashion-mnist")
      }
    } catch is OnePassError {
      // A grid is not a configuration.
    }
    _ = try GridDescription(text: text, source: "grid.yaml")
  }
}
