import Foundation
import OnePassCore

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) as Debian's package `dataset-fashion-mnist` installs it.
enum FashionMNIST {
  static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// Names another folder with the four idx files.
  static let directoryVariable = "ONEPASS_FASHION_MNIST"

  static var directory: String {
    let named = ProcessInfo.processInfo.environment[directoryVariable] ?? ""
    return named.isEmpty ? "/usr/share/datasets/fashion-mnist" : named
  }
}

/// `fashion-mnist` and `fashion-mnist:test`.
func openFashionMNIST(_ request: SourceRequest) throws -> any ExampleSource {
  guard request.argument == nil || request.argument == "test" else {
    throw OnePassError(
      .usage, "\"\(request.specification)\" is not a part. Write fashion-mnist or fashion-mnist:test.")
  }
  let directory = FashionMNIST.directory
  guard existence(of: directory).isDirectory else {
    throw OnePassError(
      .io,
      "Fashion-MNIST is not at \(directory). Install it (apt-get install dataset-fashion-mnist), "
        + "name its folder in \(FashionMNIST.directoryVariable), or use idx:DIR.")
  }
  let names = try request.agreedClassNames(with: FashionMNIST.classNames)
  let table = try IDXTable(directory, test: request.argument == "test", classNames: names)
  return try request.shuffled(table)
}
