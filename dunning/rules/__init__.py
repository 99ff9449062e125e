"""The rules: each looks at one case and says which steps it calls for, which it holds back, and why."""
