import OnePassCore
import OnePassModels

extension RunConfiguration {
  /// The model architecture and its initial weights.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "folder:photos/train")
  /// configuration.model.name = "resnet18"
  /// configuration.model.initialise = "resnet18.safetensors"
  /// ```
  public struct ModelOptions: RunOptionGroup {
    /// The architecture: a built-in one, or `own:` and the name of a custom kind.
    ///
    /// Where neither it nor ``RunConfiguration/RecipeOptions/batchSize`` is set, the stream chooses both at the start of the run.
    @RunOption(
      "model",
      "Model architecture: \(ModelRegistry.names.joined(separator: ", ")) "
        + "(default: chosen from the stream; resnet50 with --batch-size, --initialise or a preset).",
      helpHasDefault: true, value: "NAME",
      in: .text("one of \(ModelRegistry.names.joined(separator: ", "))") {
        ModelRegistry.names.contains($0) || OwnPart.name(in: $0) != nil
      })
    public var name: String = "resnet50"

    /// The first layers, for large or small images; chosen by the image size if `nil`.
    @RunOption(
      "stem",
      "First layers of the model, for large (imagenet) or small images (default: chosen by image size).",
      applies: .stem, isFoundInData: true)
    public var stem: Stem? = nil

    /// The side length of the square model input, 8 … 4,096 pixels; chosen by the first images if `nil`.
    @RunOption(
      "image-size", "Side length of the model input in pixels (default: from the first images).",
      value: "PIXELS", in: .between(8, 4_096), isFoundInData: true)
    public var imageSize: Int? = nil

    /// The number of input channels, 1 (grey) or 3 (colour); chosen by the first images if `nil`.
    @RunOption(
      "channels", "Number of input channels: 1 (grey) or 3 (colour) (default: from the first images).",
      value: "1|3", in: .either(1, 3), isFoundInData: true)
    public var channels: Int? = nil

    /// The initial weights: a safetensors file with torchvision's names, or the folder of a finished run.
    ///
    /// If `nil`, they are random and depend on the seed. The last layer stays random where the classes differ.
    @RunOption(
      "initialise",
      "Initial weights: a safetensors file, or the folder of a finished run; the last layer stays random if the classes differ.",
      value: "FILE", in: .text("a local file or folder") { !$0.isEmpty && !$0.contains("://") })
    public var initialise: String? = nil
  }
}
