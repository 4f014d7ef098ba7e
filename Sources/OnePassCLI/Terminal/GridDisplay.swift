import ArgumentParser
import Foundation
import OnePass
import OnePassExperiments

/// The format of the progress of `experiment run`.
enum GridProgressStyle: String, CaseIterable, ExpressibleByArgument {
  /// A live table on a terminal; nothing elsewhere.
  case auto
  /// A line for each change, also into a file or a pipe.
  case lines
}

/// Shows the progress of a grid as a live table on a terminal, or as a line for each change.
final class GridDisplay {
  private let grid: Grid
  private enum Mode { case live, lines, silent }

  private let mode: Mode
  private let clock = ContinuousClock()
  private var lastShown: ContinuousClock.Instant?
  private var lastSummary: ContinuousClock.Instant?
  private var openLines = 0
  private var openWidth = 0
  private var shownStates: [String]
  private var latest: GridProgress?

  private static let summaryInterval = Duration.seconds(60)

  init(grid: Grid, quiet: Bool, style: GridProgressStyle) {
    self.grid = grid
    mode = quiet ? .silent : style == .lines ? .lines : Console.isLive ? .live : .silent
    shownStates = grid.cells.map { _ in "" }
  }

  func show(_ progress: GridProgress) {
    latest = progress
    switch mode {
    case .silent: return
    case .lines: return showChanges(progress)
    case .live: break
    }
    let now = clock.now
    if let lastShown, now - lastShown < .milliseconds(400) { return }
    lastShown = now
    redraw(progress)
  }

  /// Leaves the last state on the terminal.
  func close() {
    if mode == .live, let latest { redraw(latest) }
    openLines = 0
  }

  // MARK: Lines

  private func showChanges(_ progress: GridProgress) {
    for (index, (cell, state)) in zip(progress.cells, progress.states).enumerated() {
      let word: String
      switch state {
      case .waiting: word = "waiting"
      case .running: word = "running"
      case .done(let result):
        let accuracy = result.top1 == nil ? "" : "\(Self.top1(result)), "
        word = "done, \(accuracy)\(Figures.duration(result.seconds))"
      case .failed(let reason): word = "failed: \(reason)"
      }
      guard word != shownStates[index] else { continue }
      shownStates[index] = word
      if case .waiting = state { continue }
      if case .done(let result) = state, !result.isNew { continue }
      Console.error("\(cell.name): \(word)")
    }
    if lastSummary.map({ clock.now - $0 >= Self.summaryInterval }) ?? true {
      lastSummary = clock.now
      Console.error(summary(progress))
    }
  }

  // MARK: A terminal

  private func redraw(_ progress: GridProgress) {
    let width = Console.width - 1
    // A narrower terminal has wrapped the lines, which then cannot be overwritten.
    if width < openWidth { openLines = 0 }
    openWidth = width
    let lines = (table(progress) + [summary(progress)]).map {
      $0.prefix(width).replacing("failed", with: Console.styled("failed", .red))
    }
    let back = openLines > 0 ? "\u{1B}[\(openLines)A\r" : ""
    Console.status(back + "\u{1B}[J" + lines.joined(separator: "\n") + "\n")
    openLines = lines.count
  }

  /// A row for each variant and a column for each seed; on low terminals, the most important rows.
  private func table(_ progress: GridProgress) -> [String] {
    var table = TextTable(
      header: [""] + grid.seeds.map { "seed \($0)" }, isText: [true] + grid.seeds.map { _ in true })
    let cells = Dictionary(grouping: zip(progress.cells, progress.states)) { $0.0.variant }
    let room = max(1, Console.height - 4)
    var variants = grid.variants
    if variants.count > room {
      // Running and failed variants first, then as many others as fit.
      let urgent = variants.filter { cells[$0]?.contains { Self.isUrgent($0.1) } ?? false }
      let others = variants.filter { !urgent.contains($0) }
      let shown = Set((urgent + others).prefix(room))
      variants = variants.filter { shown.contains($0) }
    }
    for variant in variants {
      table.rows.append(
        [variant]
          + grid.seeds.map { seed in
            cells[variant]?.first { $0.0.seed == seed }.map { Self.text($0.1) } ?? ""
          })
    }
    return table.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private static func isUrgent(_ state: CellState) -> Bool {
    switch state {
    case .running, .failed: true
    case .done, .waiting: false
    }
  }

  private static func text(_ state: CellState) -> String {
    switch state {
    case .waiting: return "."
    case .done(let result): return top1(result)
    case .failed: return "failed"
    case .running(let progress):
      if progress.isEvaluating { return "evaluating" }
      guard progress.imagesPerSecond > 0 else { return "starting" }
      return "\(Int(progress.share * 100)) %, \(Figures.count(Int(progress.imagesPerSecond)))/s"
        + (progress.loss.map { ", loss \(Figures.loss($0))" } ?? "")
    }
  }

  private static func top1(_ result: CellResult) -> String {
    result.top1.map { Figures.percent($0, decimals: 2) } ?? "done"
  }

  private func summary(_ progress: GridProgress) -> String {
    let waiting =
      progress.cells.count - progress.doneCount - progress.runningCount - progress.failures.count
    var parts = ["\(progress.doneCount) of \(Figures.count(progress.cells.count, "cell")) done"]
    parts.append("\(progress.runningCount) running, \(waiting) waiting")
    if !progress.failures.isEmpty { parts.append("\(progress.failures.count) failed") }
    if waiting + progress.runningCount > 0, let seconds = progress.secondsLeft {
      parts.append("about \(Figures.duration(seconds)) left")
    }
    return parts.joined(separator: ", ")
  }
}
