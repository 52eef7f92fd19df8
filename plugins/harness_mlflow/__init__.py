"""The tracker ``mlflow``: runs followed in MLflow."""
