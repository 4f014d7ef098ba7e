import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// The images with the highest and the lowest priorities, with the facts about each.
struct MemoryPictures {
  /// One item with its image.
  struct Card {
    let item: MemoryItem
    /// The image; `nil` if it cannot be shown.
    let thumbnail: Thumbnail?
    /// The reason why there is no thumbnail.
    let problem: String?
    /// The class that the trained model predicts.
    let prediction: Prediction.Class?

    var isPredictedCorrectly: Bool? { prediction.map { $0.label == item.label } }
  }

  let highest: [Card]
  let lowest: [Card]
  /// The reason why requested predictions are missing.
  let predictionFailure: String?

  /// - Parameters:
  ///   - memory: The memory to show.
  ///   - count: The number of images with the highest priorities, and with the lowest.
  ///   - predicting: Whether the model predicts the class of each image.
  init(of memory: StoredMemory, count: Int, predicting: Bool) {
    let ends = PriorityExtremes(of: memory.items, count: count)
    var images: [Int: EncodedImage] = [:]
    var problems: [Int: String] = [:]
    for item in ends.highest + ends.lowest where memory.pictures.absence == nil {
      do {
        if let image = try memory.pictures.image(id: item.id) {
          images[item.id] = image
        } else if memory.pictures.areComplete {
          problems[item.id] = "The image is missing or is being written."
        }
      } catch {
        problems[item.id] = "The stored image cannot be read."
      }
    }
    var thumbnails: [Int: Thumbnail] = [:]
    for (id, image) in images {
      do {
        thumbnails[id] = try Thumbnail(of: image, orientation: memory.card.pipeline.orientation)
      } catch {
        problems[id] = "The image cannot be decoded."
      }
    }
    var predictions: [Int: Prediction.Class] = [:]
    var predictionFailure: String?
    if predicting, !thumbnails.isEmpty {
      do { predictions = try memory.predictions(of: images) } catch {
        predictionFailure = "Predictions are missing: \(error)"
      }
    }
    self.predictionFailure = predictionFailure
    func cards(_ items: [MemoryItem]) -> [Card] {
      items.filter { thumbnails[$0.id] != nil || problems[$0.id] != nil }.map {
        Card(
          item: $0, thumbnail: thumbnails[$0.id], problem: problems[$0.id], prediction: predictions[$0.id])
      }
    }
    (highest, lowest) = (cards(ends.highest), cards(ends.lowest))
  }

  /// The number of images shown.
  var count: Int { (highest + lowest).count { $0.thumbnail != nil } }
}

extension MemoryPictures.Card {
  /// - Parameter card: The class names.
  func html(_ card: ModelCard) -> String {
    let name = escaped(card.className(item.label))
    return """
      <li>\(picture(name))
      <p class="class" title="\(name)"><bdi>\(name)</bdi></p>
      \(predicted)
      <p class="facts">priority \(Figures.decimal(Double(item.priority)))<br/>loss \(Figures.loss(Double(item.loss)))<br/>\
      \(Figures.count(item.draws, "replay")), position \(Figures.count(item.id))</p></li>
      """
  }

  private func picture(_ name: String) -> String {
    guard let thumbnail else {
      return "<p class=\"lost\">\(escaped(problem ?? "There is no image."))</p>"
    }
    let title =
      "Example \(Figures.count(item.id)): \(thumbnail.original.width) x \(thumbnail.original.height) pixels, "
      + "\(Figures.count(item.bytes)) bytes"
    return thumbnail.html(alt: "Example \(item.id), labelled \(name)", title: title)
  }

  private var predicted: String {
    guard let prediction, let isPredictedCorrectly else { return "" }
    let name = escaped(prediction.name)
    return """
      <p class="\(isPredictedCorrectly ? "agrees" : "differs")" title="\(name)">\
      \(isPredictedCorrectly ? "✓" : "✗") predicted: <bdi>\(name)</bdi> \
      \(Figures.percent(prediction.probability, decimals: 0).replacing(" ", with: "\u{A0}"))</p>
      """
  }
}
