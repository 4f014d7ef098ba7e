import OnePassCore

extension OnePassError {
  static func unknownShardExtension(_ output: String) -> OnePassError {
    OnePassError(.usage, "\(output): unknown extension; use .tar, .tar.gz, .tgz or .tar.zst.")
  }

  static func nothingToPack(in specification: String) -> OnePassError {
    OnePassError(.badData, "\(specification): no examples to pack; check the data.")
  }

  static func tooFewExamples(_ examples: Int, forShards shards: Int, of output: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(output): \(shards) shards, but only \(examples) \(examples == 1 ? "example" : "examples"); name fewer shards."
    )
  }

  static func cannotCreateFolder(_ folder: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(folder): cannot create the folder for the shards; choose another output.", cause: cause)
  }

  static func outputExists(_ path: String) -> OnePassError {
    OnePassError(.usage, "\(path): already exists; remove it or choose another output.")
  }

  static func outputIsBeingWritten(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path): another process writes these shards; wait for it, or choose another output.")
  }

  static func negativeLabel(_ label: Int, example id: Int) -> OnePassError {
    OnePassError(
      .badData, "Example \(id) has label \(label), which is not a class; remove the examples without a label."
    )
  }

  static func outputRepeatsShard(_ output: String) -> OnePassError {
    OnePassError(.usage, "--output \(output) contains the same shard twice; list each shard once.")
  }

  static func labelExceedsShard(_ label: Int, example id: Int) -> OnePassError {
    OnePassError(.badData, "Example \(id): label \(label) does not fit into 32 bits; correct it.")
  }
}
