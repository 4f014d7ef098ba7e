import OnePassCore
import OnePassData

// Models that cannot be made or measured, and weights that do not fit them.
extension OnePassError {
  /// - Parameter other: The name of the kind that was passed, if any.
  static func customModelMissing(_ name: String, other: String?) -> OnePassError {
    OnePassError(
      .usage,
      "The model \(name) is a custom kind\(other.map { " (got \($0))" } ?? ""); load it in the program that trained it."
    )
  }

  static func evaluationDiverged(on source: String) -> OnePassError {
    OnePassError(
      .engine,
      "The loss on \(source) is not a finite number, because the model diverged; train with a lower --learning-rate."
    )
  }

  /// - Parameter image: Its name, such as its path.
  static func predictionNotFinite(_ image: String) -> OnePassError {
    OnePassError(
      .engine,
      "The prediction for \(image) is not a finite number, because the model diverged; train with a lower --learning-rate."
    )
  }

  // MARK: Classes of evaluation data

  /// - Parameter known: The class names of the model.
  static func classUnknownToModel(_ name: String, in source: String, known: [String]) -> OnePassError {
    let few = known.prefix(3).joined(separator: ", ") + (known.count > 3 ? ", …" : "")
    return OnePassError(
      .badData,
      "\(SourceRegistry.withoutSecrets(source)): class \(name) is not one of the model's \(known.count) classes (\(few)); "
        + "rename or remove it.")
  }

  /// - Parameter numbers: The numbers that name the classes, in the order of the source.
  static func classNumbersAreNotLabels(_ numbers: [Int], of classes: Int, in source: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(SourceRegistry.withoutSecrets(source)): class \(numbers.max() ?? 0) is not a label of the model, which has "
        + "\(classes) classes without names; name the classes by their labels, from 0.")
  }

  /// - Parameter found: The names of the data's classes.
  static func classNamesWithoutNumbers(_ found: [String], in source: String) -> OnePassError {
    let few = found.prefix(3).joined(separator: ", ") + (found.count > 3 ? ", …" : "")
    return OnePassError(
      .badData,
      "\(SourceRegistry.withoutSecrets(source)) names its classes (\(few)), and the model only numbers them; "
        + "pass --classes FILE with the names in the order of the numbers.")
  }

  static func modelHasClassNames() -> OnePassError {
    OnePassError(
      .usage, "--classes has no effect, because the model has class names; omit it.")
  }

  static func classNameCountDiffers(_ count: Int, of classes: Int) -> OnePassError {
    OnePassError(
      .usage, "--classes has \(count) names, and the model has \(classes) classes; pass one name for each.")
  }

  // MARK: Initial weights

  static func weightsOfUnfinishedRun(_ path: String) -> OnePassError {
    OnePassError(
      .io,
      "--initialise \(path) is an unfinished run; finish it with --resume, or pass a safetensors file.")
  }

  static func noWeights(in path: String) -> OnePassError {
    OnePassError(
      .io,
      "--initialise \(path) contains no weights; pass a safetensors file, or the folder of a finished run.")
  }

  /// - Parameter misfit: How the weights differ from those of the model, as `lack fc.bias`.
  static func weightsDoNotFit(_ path: String, model: String, misfit: String) -> OnePassError {
    OnePassError(
      .badData,
      "--initialise \(path) does not fit the model \(model): its weights \(misfit); "
        + "pass weights with torchvision's parameter names.")
  }

  static func weightsNotFinite(_ path: String, tensor: String) -> OnePassError {
    OnePassError(
      .badData, "--initialise \(path) has values in \(tensor) that are not finite; pass other weights.")
  }

  static func weightsWithBlurPool(_ path: String) -> OnePassError {
    OnePassError(.usage, "--initialise \(path) was trained with --blur-pool; pass --blur-pool.")
  }

  static func weightsOfOtherModel(_ path: String, found: String, model: String) -> OnePassError {
    OnePassError(
      .usage,
      "--initialise \(path) contains weights of \(found), and the model is \(model); pass --model \(found).")
  }

  static func weightsOfOtherChannels(_ path: String, channels: Int, imageChannels: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--initialise \(path) takes images with \(channels) \(channels == 1 ? "channel" : "channels"), "
        + "and the run's images have \(imageChannels); pass --channels \(channels).")
  }

  /// - Parameters:
  ///   - kernel: Height and width of the first convolution.
  ///   - modelKernel: The same in the model of the run.
  static func weightsOfOtherStem(
    _ path: String, kernel: (Int, Int), modelKernel: (Int, Int), stem: String
  ) -> OnePassError {
    OnePassError(
      .usage,
      "--initialise \(path) starts with a \(kernel.0) x \(kernel.1) convolution, and the model with "
        + "\(modelKernel.0) x \(modelKernel.1); pass --stem \(stem).")
  }

  /// - Parameter conversion: Lines of Python that write the same weights as safetensors.
  static func pickledWeights(_ path: String, conversion: [String]) -> OnePassError {
    OnePassError(
      .badData,
      "--initialise \(path) is a pickle file of PyTorch, which can run any code when it is loaded; "
        + "convert it to safetensors in Python:" + conversion.map { "\n  \($0)" }.joined())
  }
}
