import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// The pictures of the highest and of the lowest priorities, with what is known of each.
struct MemoryPictures {
  /// One item with its picture.
  struct Card {
    let item: MemoryItem
    /// `nil` where it cannot be shown.
    let thumbnail: Thumbnail?
    /// Why it cannot.
    let problem: String?
    /// What the model takes it for.
    let prediction: Prediction.Class?

    var isTakenForItsLabel: Bool? { prediction.map { $0.label == item.label } }
  }

  let highest: [Card]
  let lowest: [Card]
  /// Why the model's opinion is missing, where it was asked for.
  let silence: String?

  /// - Parameters:
  ///   - memory: What to show.
  ///   - count: How many of each end.
  ///   - predicting: Whether the model is asked for its opinion.
  init(of memory: StoredMemory, count: Int, predicting: Bool) {
    let ends = PriorityExtremes(of: memory.items, count: count)
    var images: [Int: EncodedImage] = [:]
    var problems: [Int: String] = [:]
    for item in ends.highest + ends.lowest where memory.pictures.absence == nil {
      do {
        if let image = try memory.pictures.image(id: item.id) {
          images[item.id] = image
        } else if memory.pictures.areComplete {
          problems[item.id] = "The image is not there, or just being written."
        }
      } catch {
        problems[item.id] = "The stored image cannot be read."
      }
    }
    var thumbnails: [Int: Thumbnail] = [:]
    for (id, image) in images {
      do { thumbnails[id] = try Thumbnail(of: image) } catch {
        problems[id] = "The image cannot be decoded."
      }
    }
    var predictions: [Int: Prediction.Class] = [:]
    var silence: String?
    if predicting, !thumbnails.isEmpty {
      do { predictions = try memory.predictions(of: images) } catch {
        silence = "The model could not be asked what it takes them for: \(error)"
      }
    }
    self.silence = silence
    func cards(_ items: [MemoryItem]) -> [Card] {
      items.filter { thumbnails[$0.id] != nil || problems[$0.id] != nil }.map {
        Card(
          item: $0, thumbnail: thumbnails[$0.id], problem: problems[$0.id], prediction: predictions[$0.id])
      }
    }
    (highest, lowest) = (cards(ends.highest), cards(ends.lowest))
  }

  /// Pictures that are shown.
  var count: Int { (highest + lowest).count { $0.thumbnail != nil } }
}

extension MemoryPictures.Card {
  /// - Parameter card: Names the classes.
  func html(_ card: ModelCard) -> String {
    let name = escaped(card.className(item.label))
    return """
      <li>\(picture(name))
      <p class="class" title="\(name)"><bdi>\(name)</bdi></p>
      \(opinion)
      <p class="facts">priority \(Figures.decimal(Double(item.priority)))<br/>loss \(Figures.loss(Double(item.loss)))<br/>\
      \(Figures.count(item.draws, "replay")), no. \(Figures.count(item.id))</p></li>
      """
  }

  private func picture(_ name: String) -> String {
    guard let thumbnail else {
      return "<p class=\"lost\">\(escaped(problem ?? "There is no picture."))</p>"
    }
    // Small ones are shown larger, pixel for pixel.
    let isSmall = max(thumbnail.width, thumbnail.height) <= 64
    return """
      <img\(isSmall ? " class=\"small\"" : "") width="\(thumbnail.width)" height="\(thumbnail.height)" \
      alt="Example \(item.id), labelled \(name)" \
      title="Example \(Figures.count(item.id)): \(thumbnail.original.width) x \(thumbnail.original.height) pixels, \
      \(Figures.count(item.bytes)) bytes" \
      src="data:\(thumbnail.mediaType);base64,\(base64(thumbnail.bytes))"/>
      """
  }

  private var opinion: String {
    guard let prediction, let isTakenForItsLabel else { return "" }
    let name = escaped(prediction.name)
    return """
      <p class="\(isTakenForItsLabel ? "agrees" : "differs")" title="\(name)">\
      \(isTakenForItsLabel ? "✓" : "✗") model: <bdi>\(name)</bdi> \
      \(Figures.percent(prediction.probability, decimals: 0).replacing(" ", with: "\u{A0}"))</p>
      """
  }
}
