module ginnel

go 1.26
