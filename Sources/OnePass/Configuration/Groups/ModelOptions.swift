import OnePassCore
import OnePassModels

extension RunConfiguration {
  /// The network, and what it begins with.
  public struct ModelOptions: RunOptionGroup {
    /// One of those that OnePass has, or `own:` and the name of a program's own.
    @RunOption(
      "model", "The network: \(ModelRegistry.names.joined(separator: ", ")).", value: "NAME",
      in: .text("one of \(ModelRegistry.names.joined(separator: ", "))") {
        ModelRegistry.names.contains($0) || OwnPart.name(in: $0) != nil
      })
    public var name: String = "resnet50"

    /// The first layers, for large or for small images; chosen by the image size if `nil`.
    @RunOption(
      "stem", "The first layers: for large images (imagenet) or small ones (default: by the image size).",
      isFoundInData: true)
    public var stem: Stem? = nil

    /// The side of the model's square input, in pixels; chosen by the first image if `nil`.
    @RunOption(
      "image-size", "The side of the model's input in pixels (default: by the first image).", value: "PIXELS",
      in: .between(8, 4_096), isFoundInData: true)
    public var imageSize: Int? = nil

    /// 1 (grey) or 3 (colour); chosen by the first image if `nil`.
    @RunOption(
      "channels", "1 for grey, 3 for colour (default: by the first image).", value: "1|3", in: .either(1, 3),
      isFoundInData: true)
    public var channels: Int? = nil

    /// The weights to begin with: a safetensors file with torchvision's names, or the folder of a finished run; random ones
    /// by the seed if `nil`. The last layer is new where the classes differ.
    @RunOption(
      "initialise",
      "Begin with the weights of a safetensors file or a finished run; the last layer is new where the classes differ.",
      value: "FILE", in: .text("a file or a folder on this machine") { !$0.isEmpty && !$0.contains("://") })
    public var initialise: String? = nil
  }
}
