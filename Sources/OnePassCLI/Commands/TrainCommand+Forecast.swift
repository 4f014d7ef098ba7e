import Foundation
import OnePass
import OnePassCore
import OnePassTorch

extension TrainCommand {
  /// What `--dry-run` does instead of the run.
  func showForecast() throws {
    let configuration = try configuration()
    _ = try checkpointPlan()
    if let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment), launch.worldSize > 1 {
      throw OnePassError(
        .usage,
        "--dry-run tells what one process would come to, and \(launch.worldSize) were started: give it without the launcher."
      )
    }
    if resume, let output, (try? RunFiles.result(in: output)) != nil {
      return try Console.result("The run in \(output) is finished: nothing would be done.")
    }
    let forecast = try TrainingRun(configuration).forecast(output: output, resuming: resume)
    for notice in forecast.notices { Console.note(notice) }
    try Console.result(json ? JSON.text(forecast) : ForecastText(forecast: forecast).text)
  }
}
