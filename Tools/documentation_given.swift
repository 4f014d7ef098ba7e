// Declarations that the examples of the documentation use. They are compiled and never run (scripts/docs).
import Foundation
import OnePass
import OnePassMLflow

// Sendable because no instance exists.
struct Given: @unchecked Sendable {
  struct Camera { var frames: [Frame] }
  struct Frame { var labelled: LabelledImage }

  var camera: Camera
  var frames: AsyncStream<LabelledImage>
  var digits: [LabelledImage]
  var jpeg: [UInt8]
  var pixels: [UInt8]
  var path: String
  var slot: UnsafeMutableBufferPointer<Float>
  var visit: Int

  var configuration: RunConfiguration
  var example: Example
  var examples: [Example]
  var views: [ImagePipeline.View]
  var pipeline: ImagePipeline
  var pool: DecodePool

  var device: Device
  var tensor: Tensor
  var images: Tensor
  var labels: Tensor
  var batch: Tensor
  var model: any ImageClassifier
  var optimiser: SGD
  var processes: ProcessGroup
  var printedLosses: any RunLogger
}
