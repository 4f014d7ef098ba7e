import OnePassCore

/// Reports to the user what a source left out and chose: each reason when it first occurs, and the totals if they have grown since.
final class ReportNotices {
  private let source: String
  private let notify: (String) -> Void
  /// The counts and decisions as they were last shown.
  private var shown = SourceReport()

  /// - Parameters:
  ///   - source: The specification of the source.
  ///   - notify: Receives each message.
  init(of source: String, notify: @escaping (String) -> Void) {
    (self.source, self.notify) = (source, notify)
  }

  /// Shows the reasons and decisions that have not been shown yet.
  func update(_ report: SourceReport) {
    guard !report.hasSameKinds(as: shown) else { return }
    let news = report.news(since: shown)
    news.notices(of: source).forEach(notify)
    shown.add(news)
  }

  /// Shows the whole report if it differs from what was shown.
  func finish(_ report: SourceReport) {
    guard report != shown else { return }
    report.notices(of: source).forEach(notify)
    shown = report
  }
}
