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

  /// Whatever people write as YAML: a grid, and the options of a run, of which any are taken here.
  func readYAML(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    var problem: (any Error)?
    do {
      _ = try ConfigurationFile(text: text, source: "run.yaml") { _ in RunConfiguration(data: "fashion-mnist")
      }
    } catch { problem = error }
    _ = try GridDescription(text: text, source: "grid.yaml")
    if let problem { throw problem }
  }
}
