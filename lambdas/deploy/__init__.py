"""The functions that CloudFormation calls while a stack is deployed."""
