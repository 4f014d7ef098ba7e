"""Prints the runs of an MLflow experiment, as read by MLflow's client, as JSON.

read_mlflow.py SERVER EXPERIMENT   the runs of EXPERIMENT, oldest first
"""

import json
import sys

from mlflow.tracking import MlflowClient

server, name = sys.argv[1:]
client = MlflowClient(server)
experiment = client.get_experiment_by_name(name)
runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
print(
    json.dumps(
        [
            {
                "name": run.info.run_name,
                "status": run.info.status,
                "parameters": run.data.params,
                "tags": run.data.tags,
                "metrics": {
                    key: [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, key)]
                    for key in run.data.metrics
                },
            }
            for run in runs
        ]
    )
)
