"""Training jobs as SageMaker runs them, from the CreateTrainingJob request to the job's description."""
