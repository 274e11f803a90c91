"""Exams: papers, registrations, results, and actions on running exams."""
