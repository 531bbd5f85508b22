output "names" {
  description = "The alarms' names, by what they are called in RUNBOOK.md."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}
