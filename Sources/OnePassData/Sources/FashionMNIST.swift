import Foundation
import OnePassCore

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) as Debian's package `dataset-fashion-mnist` installs it.
enum FashionMNIST {
  static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// The environment variable for another folder with the four idx files.
  static let directoryVariable = "ONEPASS_FASHION_MNIST"

  static var directory: String {
    let named = ProcessInfo.processInfo.environment[directoryVariable] ?? ""
    return named.isEmpty ? "/usr/share/datasets/fashion-mnist" : named
  }
}

/// `fashion-mnist` and `fashion-mnist:test`.
func openFashionMNIST(_ request: SourceRequest) throws -> any ExampleSource {
  guard request.argument == nil || request.argument == "test" else {
    throw OnePassError.unknownFashionMNISTPart(request.specification)
  }
  let directory = FashionMNIST.directory
  guard existence(of: directory).isDirectory else {
    throw OnePassError.noFashionMNIST(in: directory, variable: FashionMNIST.directoryVariable)
  }
  let names = try request.agreedClassNames(with: FashionMNIST.classNames)
  let table = try IDXTable(directory, test: request.argument == "test", classNames: names)
  return try request.shuffled(table)
}
