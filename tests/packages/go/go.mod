module example.com/check

go 1.26.0

require example.com/pictoryjobs v0.0.0

replace example.com/pictoryjobs => ../package
